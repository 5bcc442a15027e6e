#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint: interrupted, it ends at once, with 130 and nothing left behind

A terminal sends its signals to all processes of the command: git dies of them before we have seen ours.
A filter, or a git in front of git, waits at a gate, which is a FIFO, so that the moment is known.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-faults.sh

# git-checkpoint finds this one by PATH: the command $gated of it waits at the gate before it begins.
real=$(command -v git)
mkdir "$TEST_ROOT/front" && mkfifo "$TEST_ROOT/behind"
cat >"$TEST_ROOT/front/git" <<END
#!/bin/sh
for word
do
	case \$word in -*) ;; *=*) ;; *) break ;; esac
done
if test "\$word" = "\$gated" && test -p "$TEST_ROOT/gate"
then
	cat "$TEST_ROOT/gate" >/dev/null
	if test "\$word" = fast-import
	then
		exec 3<&0
		tee "$TEST_ROOT/stream" <&3 >"$TEST_ROOT/behind" &
		exec <"$TEST_ROOT/behind"
	fi
fi
test "\$word" != "\$mute" || exec >/dev/null
exec "$real" "\$@"
END
chmod +x "$TEST_ROOT/front/git"

at_gate () {	# what waits there, command...
	gated=$1 && shift && mkfifo "$TEST_ROOT/gate" &&
	in_background "$TEST_ROOT/run" env PATH="$TEST_ROOT/front:$PATH" gated="$gated" setsid "$@" &&
	exec 7>"$TEST_ROOT/gate" && rm "$TEST_ROOT/gate" # for the first one
}

ends_with () {	# exit code
	exec 7>&- && code=$(background_code "$TEST_ROOT/run") &&
	{ test "$code" = "$1" || test_complain "it ended with $code: $(cat "$TEST_ROOT/run.err")"; }
}

interrupt_all () {
	kill -INT -"$(background_pid "$TEST_ROOT/run")" && ends_with 130 &&
	test_grep "^error: interrupted$" "$TEST_ROOT/run.err"
}

nothing_is_left () {
	git for-each-ref refs/checkpoints refs/tags/checkpoint refs/rollback >"$TEST_ROOT/refs" &&
	test_must_be_empty "$TEST_ROOT/refs" &&
	find .git -name "*.lock" -o -name "tmp_*" -o -name "fast_import_crash*" >"$TEST_ROOT/left" &&
	test_must_be_empty "$TEST_ROOT/left" && journal_is_settled &&
	ls -A "$TMPDIR" >"$TEST_ROOT/left" && test_must_be_empty "$TEST_ROOT/left"
}

test_expect_success 'a repository' '
	test_commit one && git checkpoint -q -n none
'

test_expect_success 'all of it, while a filter stores a file' '
	echo "*.f filter=slow" >.git/info/attributes && test_when_finished "rm .git/info/attributes slow.f" &&
	git config filter.slow.clean "cat $TEST_ROOT/gate" && echo slow >slow.f &&
	at_gate nothing git-checkpoint create one &&
	interrupt_all && nothing_is_left
'

for gated in fast-import status update-ref
do
	test_expect_success "all of it, with git $gated" '
		at_gate $gated git-checkpoint create one &&
		interrupt_all && nothing_is_left
	'
done

test_expect_success '-n does not mind another that is at work' '
	at_gate status git-checkpoint create one && git checkpoint -q -n two &&
	interrupt_all && nothing_is_left
'

test_expect_success 'a git that is waited for in vain' '
	mute=update-ref && export mute && test_when_finished "unset mute" &&
	at_gate update-ref git-checkpoint create one &&
	kill -INT "$(background_pid "$TEST_ROOT/run")" && ends_with 130 && nothing_is_left
'

# What was written behind the gate shows how far it came: a pipe holds 64 KiB.
interrupted_early () {
	at_gate fast-import git-checkpoint create one &&
	kill -TERM "$(background_pid "$TEST_ROOT/run")" && ends_with 130 && nothing_is_left &&
	test "$(wc -c <"$TEST_ROOT/stream")" -lt 300000
}

test_expect_success 'ours alone, in the middle of a large file' '
	dd if=/dev/zero of=large bs=1024 count=8192 2>/dev/null && test_when_finished "rm large" &&
	interrupted_early
'

test_expect_success 'ours alone, among many files' '
	mkdir many && test_when_finished "rm -r many" &&
	for i in 0 1 2 3 4 5 6 7 8 9
	do
		dd if=/dev/zero of=many/$i bs=1024 count=100 2>/dev/null || return 1
	done &&
	interrupted_early
'

for verb in "verify kept" "export kept $TEST_ROOT/exported"
do
	test_expect_success "${verb%% *} ends well, too, and not by the signal" '
		git checkpoint create -q kept && test_when_finished "git checkpoint drop -q kept" &&
		at_gate cat-file git-checkpoint $verb &&
		kill -TERM "$(background_pid "$TEST_ROOT/run")" && ends_with 130 &&
		test_grep "^error: interrupted$" "$TEST_ROOT/run.err" && test_path_is_missing "$TEST_ROOT/exported"
	'
done

test_done
