#!/bin/sh
# SPDX-License-Identifier: MIT

test_description="migration files: their names, what is wrong with them, and where they are looked for"
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

# An up and a down script that do nothing, by the paths given.
files () {
	for file_
	do
		mkdir -p "$(dirname "$file_")" && echo "select 1;" >"$file_" || return
	done
}

# The files alone, without a database; without the note that says so.
listed () {	# [-C folder] option...
	dir_=.
	if test "$1" = -C
	then
		dir_=$2
		shift 2
	fi
	(unset DATABASE_URL && git -C "$dir_" migration-status -q "$@")
}

# What the database has, as "version name", in the order of application.
recorded () {
	db_sql "SELECT version || chr(32) || name FROM schema_migrations ORDER BY applied_at"
}

# Messages with " for their quotes, which a test's body cannot hold.
plain () {
	tr "\047" "\042" <"$1"
}

tabs () {
	tr "|" "\t"
}

test_when_finished_clean () {
	test_when_finished "rm -rf migrations && db_reset"
}

test_expect_success 'versions compare as numbers, of one part or two' '
	test_when_finished_clean &&
	for version in 20260112_002 10 9 000123 1 20240101120000 20260112_001 20260112 002 20260113 \
		340282366920938463463374607431768211456
	do
		files migrations/${version}_n.up.sql migrations/${version}_n.down.sql || return
	done &&
	listed --porcelain >actual &&
	tabs >expect <<-\END &&
	pending|1|n||
	pending|002|n||
	pending|9|n||
	pending|10|n||
	pending|000123|n||
	pending|20260112|n||
	pending|20260112_001|n||
	pending|20260112_002|n||
	pending|20260113|n||
	pending|20240101120000|n||
	pending|340282366920938463463374607431768211456|n||
	END
	test_cmp expect actual &&
	git apply-migration &&
	cut -f2 actual | sed "s/$/ n/" >expect &&
	recorded >actual &&
	test_cmp expect actual
'

test_expect_success 'folders of up.sql and down.sql, beside pairs of files' '
	test_when_finished_clean &&
	files migrations/0002_dir/up.sql migrations/0002_dir/down.sql \
		migrations/1_pair.up.sql migrations/1_pair.down.sql \
		migrations/0002_dir/notes.sql migrations/notes/up.sql migrations/readme.sql &&
	listed --json >out &&
	sed -n "s/^ *\"\(version\|name\|up\|down\)\": //p" out >actual &&
	cat >expect <<-\END &&
	"1",
	"pair",
	"migrations/1_pair.up.sql",
	"migrations/1_pair.down.sql",
	"0002",
	"dir",
	"migrations/0002_dir/up.sql",
	"migrations/0002_dir/down.sql",
	END
	test_cmp expect actual &&
	git -c rollback.migrations.layout=pair migration-status --porcelain | cut -f2 >actual &&
	echo 1 >expect &&
	test_cmp expect actual &&
	git -c rollback.migrations.layout=directory migration-status --porcelain | cut -f2 >actual &&
	echo 0002 >expect &&
	test_cmp expect actual &&
	git apply-migration &&
	recorded >actual &&
	test_write_lines "1 pair" "0002 dir" >expect &&
	test_cmp expect actual
'

test_expect_success 'a layout that is not known is refused' '
	test_must_fail git -c rollback.migrations.layout=goose migration-status 2>err &&
	cat >expect <<-\END &&
	fatal: migration layout "goose" is not supported
	hint: Set rollback.migrations.layout to auto, pair or directory.
	END
	plain err >actual &&
	test_cmp expect actual
'

test_expect_success 'an up and a down whose names differ are one migration, and that is said' '
	test_when_finished_clean &&
	files migrations/1_add_users.up.sql migrations/01_remove_users.down.sql &&
	listed --porcelain >out 2>err &&
	printf "pending\t1\tadd_users\t\t\n" >expect &&
	test_cmp expect out &&
	cat >expect <<-\END &&
	warning: "migrations/1_add_users.up.sql" and "migrations/01_remove_users.down.sql" are one migration, but their names differ
	END
	plain err >actual &&
	test_cmp expect actual &&
	git apply-migration 2>err &&
	plain err >actual &&
	test_cmp expect actual &&
	git migration-status --check 2>err
'

test_expect_success 'two files of one version: both are named, and nothing is applied' '
	test_when_finished_clean &&
	files migrations/1_a.up.sql migrations/1_a.down.sql \
		migrations/002_b.up.sql migrations/002_b.down.sql migrations/2_c/up.sql &&
	listed >/dev/null 2>err &&
	cat >expect <<-\END &&
	warning: "migrations/002_b.up.sql" and "migrations/2_c/up.sql" have the same version
	END
	plain err >actual &&
	test_cmp expect actual &&
	test_expect_code 1 listed --check &&
	test_expect_code 2 git apply-migration >out 2>err &&
	test_must_be_empty out &&
	cat >expect <<-\END &&
	error: "migrations/002_b.up.sql" and "migrations/2_c/up.sql" have the same version
	END
	plain err >actual &&
	test_cmp expect actual &&
	test_expect_code 2 git apply-migration 1 &&
	db_dump >actual &&
	test_grep ! TABLE actual
'

test_expect_success 'an up without a down' '
	test_when_finished_clean &&
	files migrations/1_a.up.sql &&
	listed >actual 2>err &&
	echo "❗ 1 a (no down script, pending)" >expect &&
	test_cmp expect actual &&
	cat >expect <<-\END &&
	warning: "migrations/1_a.up.sql" has no down script beside it
	END
	plain err >actual &&
	test_cmp expect actual &&
	test_expect_code 1 listed --check &&
	listed --porcelain >actual &&
	echo "no-down|1|a||pending, without a down script" | tabs >expect &&
	test_cmp expect actual
'

test_expect_success 'a down without an up is no migration, and is named' '
	test_when_finished_clean &&
	files migrations/1_a.down.sql migrations/2_b.up.sql migrations/2_b.down.sql &&
	listed --porcelain >out 2>err &&
	echo "pending|2|b||" | tabs >expect &&
	test_cmp expect out &&
	cat >expect <<-\END &&
	warning: "migrations/1_a.down.sql" has no up script beside it
	END
	plain err >actual &&
	test_cmp expect actual &&
	test_expect_code 1 listed --check &&
	git apply-migration 2>err &&
	plain err >actual &&
	test_cmp expect actual &&
	test_expect_code 2 git apply-migration 1 2>err &&
	test_grep "there is no migration .1." err
'

test_expect_success 'what is no UTF-8 text, has a NUL, or cannot be read' '
	test_when_finished_clean &&
	files migrations/1_a.up.sql migrations/1_a.down.sql \
		migrations/2_b.down.sql migrations/3_c.down.sql migrations/4_d.down.sql \
		migrations/5_e.down.sql &&
	printf "select 1;\n-- \377\n" >migrations/2_b.up.sql &&
	printf "select 1;\0\n" >migrations/3_c.up.sql &&
	ln -s nowhere migrations/4_d.up.sql &&
	mkdir migrations/5_e.up.sql &&
	listed >/dev/null 2>err &&
	cat >expect <<-END &&
	warning: "migrations/2_b.up.sql" is no UTF-8 text: byte 0xff in line 2
	warning: "migrations/3_c.up.sql" is no text: a NUL byte in line 1
	warning: cannot open "migrations/4_d.up.sql": No such file or directory
	warning: cannot read "migrations/5_e.up.sql": Is a directory
	END
	plain err >actual &&
	test_cmp expect actual &&
	test_expect_code 1 listed --check &&
	test_expect_code 2 git apply-migration 2>err &&
	sed "s/^warning/error/" expect >expect.err &&
	plain err >actual &&
	test_cmp expect.err actual &&
	db_dump >actual &&
	test_grep ! TABLE actual
'

test_expect_success !ROOT 'a file that may not be read' '
	test_when_finished_clean &&
	files migrations/1_a.up.sql migrations/1_a.down.sql &&
	chmod 0 migrations/1_a.up.sql &&
	listed >/dev/null 2>err &&
	echo "warning: cannot read \"migrations/1_a.up.sql\": Permission denied" >expect &&
	plain err >actual &&
	test_cmp expect actual &&
	test_expect_code 1 listed --check
'

test_expect_success !ROOT 'a folder that may not be read' '
	test_when_finished "chmod 755 migrations && rm -rf migrations" &&
	files migrations/1_a.up.sql migrations/1_a.down.sql &&
	chmod 0 migrations &&
	test_expect_code 128 listed 2>err &&
	test_grep "migrations.*Permission denied" err
'

test_expect_success 'a down script that cannot be used is found before anything runs' '
	test_when_finished_clean &&
	files migrations/1_a.up.sql migrations/1_a.down.sql migrations/2_b.up.sql &&
	printf "select 1;\n-- \377\n" >migrations/2_b.down.sql &&
	test_expect_code 128 git apply-migration 2>err &&
	cat >expect <<-\END &&
	fatal: migrations/2_b.down.sql:2:4: cannot apply migration "2": byte 0xff is not valid UTF-8
	    -- \xff
	       ^
	hint: Save the file as UTF-8.
	END
	plain err >actual &&
	test_cmp expect actual &&
	rm migrations/2_b.down.sql &&
	ln -s nowhere migrations/2_b.down.sql &&
	test_expect_code 128 git apply-migration 2>err &&
	cat >expect <<-\END &&
	fatal: cannot apply migration "2": cannot open "migrations/2_b.down.sql": No such file or directory
	END
	plain err >actual &&
	test_cmp expect actual &&
	db_dump >actual &&
	test_grep ! TABLE actual
'

test_expect_success 'names that cannot be recorded are refused, and other names passed over' '
	test_when_finished_clean &&
	long=$(printf "%051d" 7) &&
	files "migrations/${long}_long.up.sql" migrations/nov.up.sql migrations/1a_b.up.sql &&
	listed --porcelain >out 2>err &&
	test_must_be_empty out &&
	cat >expect <<-END &&
	warning: the version of "migrations/${long}_long.up.sql" cannot be used: passed over
	warning: the version of "migrations/1a_b.up.sql" cannot be used: passed over
	warning: "migrations/nov.up.sql" has no version at the front of its name: passed over
	END
	plain err >actual &&
	test_cmp expect actual &&
	rm -r migrations &&
	name=$(printf "na\377me") &&
	files "migrations/1_$name.up.sql" "migrations/1_$name.down.sql" &&
	test_expect_code 2 git apply-migration 2>err &&
	cat >expect <<-\END &&
	error: the name of "migrations/1_na\xffme.up.sql" is no UTF-8 text, and cannot be recorded
	END
	plain err >actual &&
	test_cmp expect actual
'

test_expect_success 'a byte order mark and CRLF: applied as they are, one checksum with LF' '
	test_when_finished_clean &&
	sql="create table a ();\n-- a comment\ncreate table b ();\n" &&
	mkdir migrations &&
	printf "\357\273\277$sql" | sed "s/\$/\r/" >migrations/1_a.up.sql &&
	printf "drop table a;\r\ndrop table b;\r\n" >migrations/1_a.down.sql &&
	test_grep "$(printf "();\r")" migrations/1_a.up.sql &&
	git apply-migration &&
	db_sql "SELECT checksum FROM schema_migrations" >actual &&
	printf "$sql" | sha256sum | cut -d" " -f1 >expect &&
	test_cmp expect actual &&
	printf "$sql" >migrations/1_a.up.sql &&
	git migration-status --check &&
	git rollback-db 1 --yes &&
	db_dump --no-tracking >actual &&
	test_grep ! "CREATE TABLE" actual
'

test_expect_success 'control characters in a name do not reach a terminal' '
	test_when_finished_clean &&
	name=$(printf "a\033[31m\nb\342\200\256") &&
	files "migrations/1_$name.up.sql" "migrations/1_$name.down.sql" &&
	listed >actual &&
	cat >expect <<-\END &&
	⬜ 1 a\x1b[31m\x0ab\xe2\x80\xae (pending)
	END
	test_cmp expect actual &&
	listed --porcelain >actual &&
	printf "pending\t1\t%s\t\t\n" "a\x1b[31m\x0ab\xe2\x80\xae" >expect &&
	test_cmp expect actual &&
	listed --porcelain -z >actual &&
	printf "pending\t1\t%s\t\t\0" "$name" >expect &&
	test_cmp expect actual &&
	git apply-migration -n >actual &&
	cat >expect <<-\END &&
	Database default: 1 to apply.
	  1 a\x1b[31m\x0ab\xe2\x80\xae
	END
	test_cmp expect actual &&
	git apply-migration >actual &&
	test_grep -F "✅ 1 a\x1b[31m\x0ab\xe2\x80\xae (" actual &&
	db_sql "SELECT name FROM schema_migrations" >actual &&
	printf "%s\n" "$name" >expect &&
	test_cmp expect actual
'

test_expect_success 'marks are ASCII where the locale is not UTF-8' '
	test_when_finished_clean &&
	files migrations/1_a.up.sql migrations/1_a.down.sql migrations/2_b.up.sql migrations/2_b.down.sql \
		migrations/3_c.up.sql &&
	git apply-migration 1 &&
	LC_ALL=C git migration-status -q 2>/dev/null | sed "s/applied .*)/applied)/" >actual &&
	cat >expect <<-\END &&
	[x] 1 a (applied)
	[ ] 2 b (pending)
	[?] 3 c (no down script, pending)
	END
	test_cmp expect actual &&
	LC_ALL=C git apply-migration 2 >actual &&
	test_grep "^\[x\] 2 b (" actual &&
	LC_ALL=C git migration-status -q >actual 2>err &&
	cat actual err >all &&
	test_grep ! "[^ -~]" all
'

test_expect_success 'the usual folders are looked at' '
	test_when_finished "rm -rf db database sql src internal supabase schema" &&
	for folder in migrations db/migrations database/migrations sql/migrations src/migrations \
		internal/db/migrations supabase/migrations schema/migrations
	do
		files $folder/1_a.up.sql $folder/1_a.down.sql &&
		listed --json >out &&
		test_grep "\"up\": \"$folder/1_a.up.sql\"" out &&
		rm -r $folder || return
	done &&
	files elsewhere/1_a.up.sql &&
	listed --porcelain >out &&
	test_must_be_empty out
'

test_expect_success 'two of them with migrations: the setting decides' '
	test_when_finished "rm -rf migrations db .gitrollback" &&
	files migrations/1_a.up.sql migrations/1_a.down.sql db/migrations/2_b.up.sql \
		db/migrations/2_b.down.sql &&
	test_expect_code 2 listed 2>err &&
	cat >expect <<-\END &&
	error: there are migrations in "migrations" and in "db/migrations"
	hint: Set rollback.migrations.directory to the one that counts.
	END
	plain err >actual &&
	test_cmp expect actual &&
	test_expect_code 2 git apply-migration &&
	echo "pending|2|b||" | tabs >expect &&
	(unset DATABASE_URL && git -c rollback.migrations.directory=db/migrations/ \
		migration-status --porcelain) >actual &&
	test_cmp expect actual &&
	printf "[migrations]\ndirectory = db/migrations\n" >.gitrollback &&
	listed --porcelain >actual 2>err &&
	test_cmp expect actual &&
	rm -r migrations/* && echo "select 1" >migrations/readme.sql && rm .gitrollback &&
	listed --porcelain >actual &&
	test_cmp expect actual
'

test_expect_success 'no folder, and a folder that is configured and not there' '
	test_might_fail db_reset &&
	listed >out 2>err && test_must_be_empty out && test_must_be_empty err &&
	(unset DATABASE_URL && git migration-status) >out 2>err &&
	test_must_be_empty out &&
	cat >expect <<-\END &&
	no database is configured: only the files are checked
	no migrations: no folder with migrations was found
	END
	test_cmp expect err &&
	git apply-migration >actual &&
	echo "Nothing to apply: no folder with migrations was found." >expect &&
	test_cmp expect actual &&
	git -c rollback.migrations.directory=nosuch apply-migration 2>err &&
	cat >expect <<-\END &&
	warning: there is no folder "nosuch" (rollback.migrations.directory)
	END
	plain err >actual &&
	test_cmp expect actual &&
	mkdir empty && test_when_finished "rmdir empty" &&
	git -c rollback.migrations.directory=empty apply-migration >actual 2>err &&
	echo "Nothing to apply: database default is up to date." >expect &&
	test_cmp expect actual &&
	test_must_be_empty err
'

test_expect_success 'a folder outside of the worktree, by its absolute path' '
	test_when_finished "rm -rf ../outside && db_reset" &&
	files ../outside/1_a.up.sql ../outside/1_a.down.sql &&
	git -c rollback.migrations.directory="$TEST_ROOT/outside" apply-migration &&
	git -c rollback.migrations.directory="$TEST_ROOT/outside" migration-status --check
'

test_expect_success 'no HEAD yet' '
	git init -q unborn && test_when_finished "rm -rf unborn && db_reset" &&
	(
		cd unborn &&
		files migrations/1_a.up.sql migrations/1_a.down.sql &&
		git apply-migration &&
		git migration-status --check &&
		test_expect_code 128 git migration-status HEAD 2>err &&
		test_grep "HEAD. names no commit" err &&
		db_sql "SELECT git_commit IS NULL FROM schema_rollback_log" >actual &&
		echo t >expect && test_cmp expect actual &&
		git rollback-db 1 --yes
	)
'

test_expect_success 'from a subdirectory, with GIT_DIR, and outside of a repository' '
	test_when_finished_clean &&
	files migrations/1_a.up.sql migrations/1_a.down.sql &&
	mkdir -p sub/dir && test_when_finished "rm -r sub" &&
	echo "pending|1|a||" | tabs >expect &&
	listed -C sub/dir --porcelain >actual &&
	test_cmp expect actual &&
	(cd / && unset DATABASE_URL && GIT_DIR="$TRASH_DIRECTORY/.git" \
		GIT_WORK_TREE="$TRASH_DIRECTORY" git migration-status --porcelain) >actual &&
	test_cmp expect actual &&
	(cd sub/dir && git apply-migration ../../migrations/1_a.up.sql) &&
	git migration-status --check &&
	test_expect_code 128 git -C / migration-status 2>err &&
	test_grep "not a git repository" err
'

test_expect_success 'a bare repository stands for its HEAD' '
	test_when_finished "rm -rf work bare.git && db_reset" &&
	git init -q work &&
	files work/migrations/1_a.up.sql work/migrations/1_a.down.sql &&
	git init -q --bare bare.git &&
	listed -C bare.git --porcelain >actual &&
	test_must_be_empty actual &&
	git -C work add . && test_commit -C work one &&
	git -C work push -q ../bare.git main &&
	echo "pending|1|a||" | tabs >expect &&
	listed -C bare.git --porcelain >actual &&
	test_cmp expect actual &&
	git -C bare.git apply-migration &&
	git -C bare.git migration-status --check &&
	git -C bare.git for-each-ref refs/rollback/applied >refs &&
	test_line_count = 1 refs &&
	db_sql "SELECT git_commit FROM schema_rollback_log" >actual &&
	git -C work rev-parse HEAD >expect &&
	test_cmp expect actual &&
	git -C bare.git rollback-db 1 --yes
'

test_expect_success 'a linked worktree has files of its own, and shares what is kept' '
	test_when_finished "rm -rf main linked && db_reset" &&
	git init -q main &&
	files main/migrations/1_a.up.sql main/migrations/1_a.down.sql &&
	git -C main add . && test_commit -C main one &&
	git -C main worktree add -q ../linked &&
	files linked/migrations/2_b.up.sql linked/migrations/2_b.down.sql &&
	test_write_lines "pending|1|a||" "pending|2|b||" | tabs >expect &&
	listed -C linked --porcelain >actual &&
	test_cmp expect actual &&
	git -C linked apply-migration &&
	git -C linked migration-status --check &&
	ls main/.git/rollback/journal >actual &&
	test_line_count = 1 actual &&
	test_path_is_missing main/.git/worktrees/linked/rollback &&
	rm -rf linked && git -C main worktree prune &&
	git -C main for-each-ref --format="%(refname)" "refs/rollback/applied/2/*" >refs &&
	test_line_count = 1 refs &&
	git -C main migration-status --porcelain | sed "s/20[^\t]*Z/TIME/" >actual &&
	test_write_lines "applied|1|a|TIME|" "missing|2|b|TIME|$(cat refs)" | tabs >expect &&
	test_cmp expect actual
'

test_expect_success 'a detached HEAD, and one in the middle of a merge' '
	test_when_finished "rm -rf detached && db_reset" &&
	git init -q detached &&
	files detached/migrations/1_a.up.sql detached/migrations/1_a.down.sql &&
	git -C detached add . && test_commit -C detached one &&
	git -C detached checkout -q --detach &&
	git -C detached apply-migration &&
	git -C detached migration-status --check HEAD &&
	git -C detached checkout -q -b side && test_commit -C detached two file side &&
	git -C detached checkout -q main && test_commit -C detached three file main &&
	test_must_fail git -C detached merge -q side &&
	git -C detached migration-status --check &&
	git -C detached rollback-db 1 --yes
'

test_expect_success 'a repository of SHA-256' '
	git init -q --object-format=sha256 sha256 && test_when_finished "rm -rf sha256 && db_reset" &&
	files sha256/migrations/1_a.up.sql sha256/migrations/1_a.down.sql &&
	git -C sha256 add . && test_commit -C sha256 --no-tag one &&
	git -C sha256 apply-migration &&
	git -C sha256 migration-status --check HEAD &&
	db_sql "SELECT git_commit FROM schema_rollback_log" >actual &&
	git -C sha256 rev-parse HEAD >expect &&
	test_cmp expect actual &&
	git -C sha256 rm -q -r migrations && test_commit -C sha256 --no-tag two &&
	git -C sha256 migration-status -q >actual &&
	test_grep "found at main (" actual &&
	git -C sha256 rollback-db 1 --yes
'

odd_repository () {	# path
	git init -q -- "$1" && db_reset &&
	(cd -- "$1" && files migrations/1_a.up.sql migrations/1_a.down.sql migrations/2_b/up.sql \
		migrations/2_b/down.sql) &&
	git -C "$1" add . && test_commit -C "$1" one &&
	git -C "$1" apply-migration &&
	git -C "$1" migration-status --check &&
	git -C "$1" migration-status --check HEAD &&
	git -C "$1" rm -q -r migrations && test_commit -C "$1" two &&
	git -C "$1" migration-status --porcelain | cut -f1,2 >actual &&
	printf "missing\t1\nmissing\t2\n" >expect &&
	test_cmp expect actual &&
	git -C "$1" rollback-db --all --yes &&
	db_sql "SELECT count(*) FROM schema_migrations" >actual &&
	echo 0 >expect &&
	test_cmp expect actual &&
	rm -rf -- "$1"
}

test_expect_success 'paths with spaces, quotes and a dollar' '
	test_when_finished db_reset &&
	odd_repository "it$(printf "\047")s \"a\" \$HOME \\repo; *" &&
	odd_repository "./-C" && odd_repository "HEAD:x"
'

test_expect_success 'paths with newlines, control characters and non-UTF-8 bytes' '
	test_when_finished db_reset &&
	odd_repository "$(printf "two\nlines\t\033[31m")" &&
	odd_repository "$(printf "lat\351n-1 \377\376")"
'

test_expect_success 'a folder of migrations with such a name' '
	test_when_finished "rm -rf odd && db_reset" &&
	folder=$(printf "it\047s [odd] *\nna\377me") &&
	git init -q odd &&
	files "odd/$folder/1_a.up.sql" "odd/$folder/1_a.down.sql" odd/other/1_a.up.sql &&
	git -C odd config rollback.migrations.directory "$folder" &&
	git -C odd add . && test_commit -C odd one &&
	git -C odd apply-migration &&
	git -C odd migration-status --check &&
	git -C odd migration-status --check HEAD &&
	git -C odd migration-status --json >actual &&
	test_grep -F "s [odd] *\\\\x0ana\\\\xffme/1_a.up.sql\"" actual &&
	git -C odd rollback-db 1 --yes
'

test_done
