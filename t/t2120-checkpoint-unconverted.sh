#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git checkpoint: files that git refuses to convert are kept as they are on disk, and come back'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-restore.sh

# What the filter does not refuse it changes, so that whoever writes bytes of it otherwise is seen. It is
# broken by making the file ./broken.
fresh () {
	cd "$TRASH_DIRECTORY" && rm -rf r && git init -q r && cd r &&
	printf "%s\n" "*.f filter=f" "*.u16 working-tree-encoding=UTF-16" >.gitattributes &&
	git config filter.f.clean "test ! -e .git/broken && tr a-z n-za-m" &&
	git config filter.f.smudge "test ! -e .git/broken && tr a-z n-za-m" &&
	git config filter.f.required true &&
	mkdir d && echo tracked >d/t.f && echo other >o.f && echo plain >plain &&
	touch -d "1 hour ago" d/t.f o.f plain .gitattributes && git add . && git commit -q -m base
}
break_filter () {
	: >.git/broken
}
mend_filter () {
	rm .git/broken
}

# Runs what it reads.
hook () {	# name
	{ echo "#!/bin/sh" && cat; } >.git/hooks/"$1" && chmod +x .git/hooks/"$1"
}

# Of all files; git itself gives up on them.
files () {
	find . -path ./.git -prune -o -printf "%p %y %m %l\n" | sort &&
	find . -path ./.git -prune -o -type f -exec sha256sum {} + | sort -k 2 && git ls-files --stage
}

test_expect_success 'create warns by name, and keeps the rest' '
	fresh && echo more >>plain && echo other >>o.f && echo new >n.f && printf "no mark" >x.u16 && break_filter &&
	git checkpoint create one 2>"$TEST_ROOT/err" && test_grep "n.f. is kept as it is on disk: clean filter" "$TEST_ROOT/err" &&
	test_grep "o.f. is kept as it is on disk" "$TEST_ROOT/err" && test_grep "x.u16. is kept as it is on disk: BOM" "$TEST_ROOT/err" &&
	git checkpoint create --json -q two 2>"$TEST_ROOT/err" >"$TEST_ROOT/json" &&
	echo "n.f o.f x.u16" >"$TEST_ROOT/expect" &&
	jq -r "[.unconverted[].path] | join(\" \")" "$TEST_ROOT/json" >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint show one >"$TEST_ROOT/out" && test_grep "as on disk.*n.f" "$TEST_ROOT/out" &&
	git checkpoint verify one
'

test_expect_success 'restore brings the bytes back, and undo those of before, and so on' '
	fresh && echo more >>plain && echo longer >>o.f && mkdir -p u/v && echo new >u/v/n.f && chmod 700 u/v/n.f &&
	printf "no mark" >x.u16 && break_filter && files >"$TEST_ROOT/one" && git checkpoint create -q one &&
	rm -r u x.u16 && echo even longer >>o.f && echo later >l.f && rm plain && files >"$TEST_ROOT/two" &&
	git checkpoint restore -q --yes one && files >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes && files >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/two" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes $(newest_operation) && files >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual"
'

test_expect_success 'kept without the filter, restored with it, and the reverse' '
	fresh && echo longer >>o.f && echo new >n.f && files >"$TEST_ROOT/one" && git checkpoint create -q one &&
	echo even longer >>o.f && echo newer >n.f && files >"$TEST_ROOT/two" && break_filter &&
	git checkpoint create -q two && mend_filter &&
	git checkpoint restore -q --yes one && files >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual" &&
	git checkpoint restore -q --yes two && files >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/two" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes && files >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual"
'

test_expect_success 'a restore that git cannot finish puts them back' '
	fresh && echo longer >>o.f && echo new >n.f && git checkpoint create -q one &&
	echo even longer >>o.f && echo newer >n.f && mkdir e && echo last >e/l.f && break_filter &&
	files >"$TEST_ROOT/expect" && test_must_fail git checkpoint restore -q --yes one 2>"$TEST_ROOT/err" &&
	test_grep "could not write the files" "$TEST_ROOT/err" && files >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" && mend_filter && git checkpoint restore -q --yes one &&
	test_path_is_missing e
'

test_expect_success 'a file where a folder was, a folder where a file was' '
	fresh && echo new >n && echo "n filter=f" >>.gitattributes && break_filter && files >"$TEST_ROOT/one" &&
	git checkpoint create -q one && rm n && mkdir n && echo in >n/x.f && echo in >n/plain && files >"$TEST_ROOT/two" &&
	git checkpoint restore -q --yes one && files >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes && files >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/two" "$TEST_ROOT/actual"
'

test_expect_success 'one that git has staged, and has flags that no tree can hold beside it' '
	fresh && echo staged >s.f && git add s.f && echo worktree >>s.f && git update-index --assume-unchanged plain &&
	break_filter && files >"$TEST_ROOT/one" && git checkpoint create -q one && git rm -q --cached -f s.f && rm s.f &&
	git update-index --no-assume-unchanged plain &&
	git checkpoint restore -q --yes one && files >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual" &&
	test "$(git ls-files -v plain)" = "h plain"
'

test_expect_success 'many that are refused cost a process each' '
	fresh && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo $i >$i.f || return 1; done &&
	break_filter && GIT_TRACE2_EVENT="$TEST_ROOT/trace" git checkpoint create -q one 2>/dev/null &&
	git checkpoint verify one && grep -c "\"event\":\"cmd_name\",.*\"name\":\"update-index\"" "$TEST_ROOT/trace" >"$TEST_ROOT/count" &&
	test "$(cat "$TEST_ROOT/count")" -le 24
'

test_expect_success 'one that changes once the plan is made is not lost, and nothing of the rest is' '
	fresh && echo old >n.f && break_filter && git checkpoint create -q one && echo new >n.f && echo other >m.f &&
	echo "echo changed >n.f" | hook reference-transaction && test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	test_grep "changed meanwhile: .n.f." "$TEST_ROOT/err" && test "$(cat n.f)" = changed && test "$(cat m.f)" = other
'

test_done
