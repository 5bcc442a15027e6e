#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git rollback trust'
. ./test-lib.sh

write_file () {	# command
	cat >.gitrollback <<-END
	[migrations]
	table = mine
	[verify "build"]
	command = $1
	END
}

untrusted='.gitrollback is not trusted. These of its keys need it:
  4:  verify.build.command  (a command)  make check'
trusted='.gitrollback is trusted. These of its keys count only for that:
  4:  verify.build.command  (a command)  make check'

test_expect_success 'no file' '
	echo "There is no .gitrollback at the top of this worktree." >expect &&
	test_expect_code 1 git rollback trust --show >actual 2>err &&
	test_cmp expect actual &&
	test_must_be_empty err &&
	test_expect_code 1 git rollback trust --yes >actual &&
	test_cmp expect actual &&
	test_must_fail git config rollback.trust
'

test_expect_success 'no worktree, and no repository' '
	git init -q --bare bare.git &&
	echo "There is no worktree here, and so no .gitrollback." >expect &&
	test_expect_code 1 git -C bare.git rollback trust --show >actual &&
	test_cmp expect actual &&
	mkdir "$TEST_ROOT/outside" &&
	(cd "$TEST_ROOT/outside" && test_expect_code 128 git rollback trust --show) 2>err &&
	test_grep "not a git repository" err
'

test_expect_success 'a file that needs no trust' '
	printf "[migrations]\ntable = mine\n" >.gitrollback &&
	echo "Nothing in .gitrollback needs trust." >expect &&
	git rollback trust --show >actual &&
	test_cmp expect actual &&
	git rollback trust >actual &&
	test_cmp expect actual &&
	test_must_fail git config rollback.trust
'

test_expect_success 'untrusted: shown, and never recorded without a word' '
	write_file "make check" &&
	echo "$untrusted" >expect &&
	test_expect_code 1 git rollback trust --show >actual &&
	test_cmp expect actual &&
	git rollback trust -n >actual &&
	test_cmp expect actual &&
	test_expect_code 2 git rollback trust >out 2>err &&
	test_must_be_empty out &&
	{
		echo "$untrusted" &&
		echo "error: not confirmed: there is no terminal to ask on" &&
		echo "hint: Use --yes to confirm on the command line."
	} >expect &&
	test_cmp expect err &&
	test_must_fail git config rollback.trust &&
	git for-each-ref >refs &&
	test_must_be_empty refs &&
	find .git/objects -type f >objects &&
	test_must_be_empty objects
'

test_expect_success '--yes records the blob id, and keeps the blob' '
	git rollback trust --yes >out 2>err &&
	echo "$untrusted" >expect &&
	test_cmp expect out &&
	echo ".gitrollback is trusted now." >expect &&
	test_cmp expect err &&
	git hash-object --no-filters .gitrollback >expect &&
	git config --local rollback.trust >actual &&
	test_cmp expect actual &&
	git rev-parse refs/rollback/trusted >actual &&
	test_cmp expect actual &&
	git prune --expire=now &&
	git cat-file blob refs/rollback/trusted >actual &&
	test_cmp .gitrollback actual
'

test_expect_success 'trusted: from anywhere in it, and in all its worktrees' '
	echo "$trusted" >expect &&
	git rollback trust --show >actual &&
	test_cmp expect actual &&
	mkdir -p sub/dir &&
	git -C sub/dir rollback trust --show >actual &&
	test_cmp expect actual &&
	git add .gitrollback && git commit -qm file &&
	git worktree add -q ../linked &&
	test_when_finished "git worktree remove -f ../linked" &&
	git -C ../linked rollback trust --show >actual &&
	test_cmp expect actual &&
	echo "; more" >>../linked/.gitrollback &&
	test_expect_code 1 git -C ../linked rollback trust --show &&
	git rollback trust --show
'

test_expect_success '--json' '
	oid=$(git rev-parse refs/rollback/trusted) &&
	cat >expect <<-END &&
	{
	  "format": 1,
	  "verdict": "clean",
	  "state": "trusted",
	  "file": ".gitrollback",
	  "blob": "$oid",
	  "trusted_blob": "$oid",
	  "keys": [
	    {
	      "key": "verify.build.command",
	      "value": "make check",
	      "line": 4,
	      "reason": "a command"
	    }
	  ]
	}
	END
	git rollback trust --show --json >actual &&
	test_cmp expect actual &&
	git rollback trust --json >actual &&
	test_cmp expect actual
'

test_expect_success 'a change asks again, and is shown' '
	write_file "make all" &&
	cat >expect <<-\END &&
	.gitrollback has changed since it was trusted:
	@@ line 1 @@
	 [migrations]
	 table = mine
	 [verify "build"]
	-command = make check
	+command = make all
	These keys need trust:
	  4:  verify.build.command  (a command)  make all
	END
	test_expect_code 1 git rollback trust --show >actual &&
	test_cmp expect actual &&
	test_expect_code 1 git rollback trust --show --json >actual &&
	test_grep "\"state\": \"changed\"" actual &&
	test_expect_code 2 git rollback trust &&
	test_expect_code 2 git rollback trust --json >actual 2>err &&
	jq -e ".state == \"changed\" and .verdict == \"clean\"" actual &&
	test_grep "^+command = make all" err &&
	git rollback trust -y >actual 2>err &&
	test_cmp expect actual &&
	git rollback trust --show &&
	write_file "make check" &&
	test_expect_code 1 git rollback trust --show
'

test_expect_success 'a change of one byte that means nothing is a change' '
	git rollback trust -y -q >out 2>err &&
	test_must_be_empty out &&
	test_must_be_empty err &&
	cp .gitrollback kept &&
	printf "\n" >>.gitrollback &&
	test_expect_code 1 git rollback trust --show -q >out 2>err &&
	test_must_be_empty out &&
	test_must_be_empty err &&
	cp kept .gitrollback &&
	git rollback trust --show -q
'

test_expect_success 'attributes and filters of the repository have no say' '
	test_when_finished "rm -f .gitattributes .git/info/attributes &&
		git config --remove-section filter.lie" &&
	echo "* text filter=lie -diff" >.gitattributes &&
	cp .gitattributes .git/info/attributes &&
	git config filter.lie.clean "sed s/evil/check/" &&
	git config core.autocrlf true &&
	test_when_finished "git config --unset core.autocrlf" &&
	write_file "make evil" &&
	test_expect_code 1 git rollback trust --show >actual &&
	test_grep "^+command = make evil$" actual &&
	printf "[verify \"build\"]\r\ncommand = make check\r\n" >.gitrollback &&
	git rollback trust -y &&
	git cat-file blob refs/rollback/trusted >actual &&
	test_cmp .gitrollback actual &&
	git rollback trust --show &&
	printf "[verify \"build\"]\ncommand = make check\n" >.gitrollback &&
	test_expect_code 1 git rollback trust --show >actual &&
	test_grep "^-command = make check.r$" actual &&
	write_file "make check" &&
	git rollback trust -y
'

test_expect_success 'the old blob is gone' '
	git update-ref -d refs/rollback/trusted &&
	git config rollback.trust 1234567890123456789012345678901234567890 &&
	test_expect_code 1 git rollback trust --show >actual &&
	test_grep "not the one that was trusted, which git no longer has" actual &&
	git config rollback.trust HEAD:.gitrollback &&
	test_expect_code 1 git rollback trust --show >actual &&
	echo "$untrusted" >expect &&
	test_cmp expect actual &&
	git config rollback.trust --help &&
	test_expect_code 1 git rollback trust --show &&
	git rollback trust --yes &&
	git rollback trust --show
'

test_expect_success 'passwords are not shown, everything around them is' '
	test_when_finished "git checkout -q .gitrollback && git rollback trust -y -q" &&
	cat >.gitrollback <<-\END &&
	[database "x"]
	url = postgres://me:secret1@evil/db?sslmode=require ; comment
	[verify "x"]
	command = PGPASSWORD=secret2 psql password=visible
	END
	git rollback trust -y >out 2>err &&
	test_grep ! secret1 out &&
	test_grep ! secret1 err &&
	test_grep "^+url = postgres://me:\*\*\*@evil/db?sslmode=require ; comment$" out &&
	test_grep "^+command = PGPASSWORD=secret2 psql password=visible$" out &&
	sed s/secret1/other1/ .gitrollback >x && mv x .gitrollback &&
	test_expect_code 1 git rollback trust --show >out 2>err &&
	test_grep "only in its last line end or in passwords" out &&
	test_grep ! other1 out &&
	test_grep ! other1 err &&
	test_expect_code 1 git rollback trust --show --json >out 2>err &&
	test_grep "\"postgres://me:\*\*\*@evil/db?sslmode=require\"" out
'

test_expect_success 'a text that turns around on the terminal is shown as it is' '
	test_when_finished "git checkout -q .gitrollback" &&
	printf "[verify \"x\"]\ncommand = make \342\200\256check\n" >.gitrollback &&
	test_expect_code 1 git rollback trust --show >out &&
	test_grep "^+command = make .xe2.x80.xaecheck$" out &&
	test_grep "(a command)  make .xe2.x80.xaecheck$" out
'

test_expect_success 'a file that cannot be read is never trusted, but trust can be revoked' '
	test_when_finished "git checkout -q .gitrollback && git rollback trust -y -q" &&
	echo "[nonsense]" >>.gitrollback && echo "a = b" >>.gitrollback &&
	test_expect_code 128 git rollback trust --yes 2>err &&
	test_grep "^fatal: .gitrollback:6: there is no setting" err &&
	test_expect_code 128 git rollback trust --show &&
	git rollback trust --revoke
'

test_expect_success '--revoke' '
	git rollback trust --revoke -n 2>err &&
	echo "Would trust no .gitrollback any more." >expect &&
	test_cmp expect err &&
	git rollback trust --show -q &&
	git rollback trust --revoke 2>err &&
	echo "No .gitrollback is trusted any more." >expect &&
	test_cmp expect err &&
	test_must_fail git config rollback.trust &&
	test_must_fail git rev-parse --verify refs/rollback/trusted &&
	echo "$untrusted" >expect &&
	test_expect_code 1 git rollback trust --show >actual &&
	test_cmp expect actual &&
	git rollback trust --revoke
'

test_expect_success '--revoke --json' '
	git rollback trust --yes &&
	git rollback trust --revoke --dry-run --json >actual 2>err &&
	cat >expect <<-\END &&
	{
	  "format": 1,
	  "verdict": "clean",
	  "dry_run": true,
	  "revoked": false,
	  "trusted_elsewhere": null
	}
	END
	test_cmp expect actual &&
	test_must_be_empty err &&
	git rollback trust --show &&
	git rollback trust --revoke --json >actual 2>err &&
	cat >expect <<-\END &&
	{
	  "format": 1,
	  "verdict": "clean",
	  "dry_run": false,
	  "revoked": true,
	  "trusted_elsewhere": false
	}
	END
	test_cmp expect actual &&
	test_must_be_empty err &&
	test_expect_code 1 git rollback trust --show
'

test_expect_success 'the user may trust for all repositories, and revoking says so' '
	git config --global rollback.trust "$(git hash-object .gitrollback)" &&
	test_when_finished "git config --global --unset rollback.trust" &&
	git rollback trust --show &&
	test_expect_code 1 git rollback trust --revoke 2>err &&
	test_grep "also set outside this repository" err &&
	test_expect_code 1 git rollback trust --revoke --json >actual 2>err &&
	test_grep "also set outside this repository" err &&
	jq -e ".trusted_elsewhere and .revoked" actual
'

test_expect_success 'nothing of the file was run' '
	test_when_finished "git checkout -q .gitrollback" &&
	write_file "touch \"$PWD/pwned\"" &&
	test_expect_code 1 git rollback trust --show &&
	git rollback trust -y &&
	git rollback trust --revoke &&
	test_path_is_missing pwned
'

test_expect_success TTY 'at a terminal it asks' '
	echo no >answer &&
	test_expect_code 2 test_terminal "GIT_TERMINAL_PROMPT=1 git rollback trust" <answer >actual &&
	{ echo "$untrusted" && echo "Trust .gitrollback as it is? [y/N] error: not confirmed; nothing was changed"; } >expect &&
	test_cmp expect actual &&
	test_must_fail git config rollback.trust &&
	echo yes >answer &&
	test_terminal "GIT_TERMINAL_PROMPT=1 git rollback trust" <answer >actual &&
	test_grep "trusted now" actual &&
	git rollback trust --show &&
	git rollback trust --revoke
'

test_expect_success TTY 'what was shown is what is trusted, though the file changes meanwhile' '
	test_when_finished "git checkout -q .gitrollback && git rollback trust --revoke" &&
	git hash-object .gitrollback >expect &&
	rm -f "$TEST_ROOT/terminal" &&
	mkfifo answers &&
	{ test_terminal "GIT_TERMINAL_PROMPT=1 git rollback trust" <answers >actual & } && asked=$! &&
	exec 7>answers &&
	wait_until grep -q "as it is" "$TEST_ROOT/terminal" &&
	write_file "make evil" &&
	echo y >&7 &&
	exec 7>&- &&
	wait "$asked" &&
	git config rollback.trust >actual &&
	test_cmp expect actual &&
	test_expect_code 1 git rollback trust --show
'

test_expect_success TTY 'colour' '
	test_when_finished "git checkout -q .gitrollback && git rollback trust --revoke" &&
	git rollback trust -y &&
	write_file "make all" &&
	test_expect_code 1 git rollback trust --show --color >actual &&
	test_grep "^.\[31m-command = make check.\[m\|^.\[31m-command = make check.\[0m" actual &&
	test_expect_code 1 git -c color.ui=always rollback trust --show >actual &&
	test_grep "\[32m+command" actual &&
	test_expect_code 1 git rollback trust --show >actual &&
	test_grep ! "\[32m" actual
'

test_expect_success 'in a SHA-256 repository' '
	git init -q --object-format=sha256 wide &&
	cp .gitrollback wide &&
	git -C wide rollback trust -y &&
	git -C wide hash-object .gitrollback >expect &&
	git -C wide config rollback.trust >actual &&
	test_cmp expect actual &&
	git -C wide rollback trust --show
'

test_expect_success 'a repository that cannot be written to' '
	: >.git/config.lock &&
	test_when_finished "rm -f .git/config.lock" &&
	test_expect_code 128 git rollback trust -y 2>err &&
	test_grep "could not change git.s configuration" err &&
	test_expect_code 1 git rollback trust --show
'

test_expect_success 'usage' '
	git rollback -h >usage &&
	test_grep "^usage: git rollback trust" usage &&
	git rollback trust -h >usage &&
	test_grep "^usage: git rollback trust" usage &&
	test_expect_code 129 git rollback 2>err &&
	test_expect_code 129 git rollback nosuch 2>err &&
	test_grep "^error: .nosuch. is not a git-rollback command$" err &&
	test_expect_code 129 git rollback trust file 2>err &&
	test_grep "unexpected argument .file." err &&
	test_expect_code 129 git rollback trust --show --revoke 2>err &&
	test_grep "cannot be combined" err &&
	for pair in "--show --yes" "--show --dry-run" "--revoke --yes"
	do
		test_expect_code 129 git rollback trust $pair 2>err &&
		test_grep -e "options .${pair% *}. and .${pair#* }. cannot be combined" err || return 1
	done &&
	test_expect_code 129 git rollback trust --nosuch
'

test_expect_success 'the manual has the usage that -h prints' '
	git rollback trust -h >usage &&
	sed -n "s/^usage: //p; s/^   or: //p" usage >expect &&
	sed -n "/^\[verse\]/,/^$/p" "$TEST_TOP/man/git-rollback.adoc" | sed "1d; /^$/d" |
		tr -d "\047" >actual &&
	test_cmp expect actual
'

test_expect_success 'the examples of the manual' '
	git init -q example &&
	printf "[verify \"build\"]\ncommand = make check\n" >example/.gitrollback &&
	git -C example rollback trust --yes >out 2>err &&
	cat out err >actual &&
	sed -n "/^\$ git rollback trust --yes/,/^----/p" "$TEST_TOP/man/git-rollback.adoc" |
		sed "1d; /^----/d" >expect &&
	test_cmp expect actual
'

test_expect_success 'a full disk is noticed' '
	test_expect_code 128 git rollback trust --show >/dev/full &&
	test_expect_code 128 git rollback trust --show --json >/dev/full
'

test_done
