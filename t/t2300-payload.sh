#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint: what is kept beside the files: documents, environment, database'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh


# A checkpoint c of the present state; what it says is in err.
create () {
	git update-ref -d refs/checkpoints/c && git update-ref -d refs/tags/checkpoint/c &&
	git checkpoint create "$@" c >out 2>err
}

payload () {	# path
	git cat-file blob "refs/checkpoints/c^4:$1"
}

# The payload's files but those that always are.
payload_files () {
	git ls-tree -r -z --full-tree --name-only refs/checkpoints/c^4 | tr "\0" "\n" |
	grep -v -e "^manifest.json$" -e "^status$" | sort
}

# A member of the manifest, as jq has it.
manifest () {	# path, [option of jq]...
	path_=$1
	shift
	payload manifest.json | jq -c "$@" "$path_"
}

manifest_is () {	# path, JSON
	manifest "$1" >"$TEST_ROOT/actual" &&
	printf '%s\n' "$2" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
}

# No file of the payload, and nothing that was said, has the word.
nowhere () {	# word
	for file_ in $(git ls-tree -r --full-tree --name-only refs/checkpoints/c^4)
	do
		payload "$file_" >"$TEST_ROOT/file" &&
		test_grep ! "$1" "$TEST_ROOT/file" || return
	done
	git cat-file commit refs/checkpoints/c >"$TEST_ROOT/file" &&
	test_grep ! "$1" "$TEST_ROOT/file" &&
	test_grep ! "$1" out && test_grep ! "$1" err
}

in_new_repository () {	# name
	git init -q "$TEST_ROOT/$1" && cd "$TEST_ROOT/$1" && unset DATABASE_URL
}

# ---- Documents ----------------------------------------------------------------------------------

test_expect_success 'nothing is kept where there is nothing' '
	(
		in_new_repository nothing &&
		create &&
		payload_files >actual &&
		test_must_be_empty actual &&
		manifest_is "[.documents, .environment, .database, .documents_left_out]" \
			"[null,null,null,null]"
	)
'

test_expect_success 'documents are found, whether tracked, untracked or ignored' '
	(
		in_new_repository found &&
		echo 1 >master-project.json && git add . && git commit -q -m one &&
		echo 2 >master-project.json &&
		printf "no line end\r" >cpo-progress.md && echo "cpo-*" >.gitignore &&
		create &&
		test_write_lines project/cpo-progress.md project/master-project.json >expect &&
		payload_files >actual &&
		test_cmp expect actual &&
		payload project/cpo-progress.md >actual &&
		test_cmp cpo-progress.md actual &&
		payload project/master-project.json >actual &&
		test_cmp master-project.json actual &&
		manifest_is .documents \
			"{\"state\":\"master-project.json\",\"progress\":\"cpo-progress.md\"}"
	)
'

test_expect_success 'documents by their settings, from a folder below' '
	(
		in_new_repository set &&
		mkdir plan && echo s >plan/state.json && echo p >plan/log.md && echo x >master-project.json &&
		printf "[stages]\nstate = ./plan/state.json\nprogress = plan/log.md\n" >.gitrollback &&
		cd plan &&
		create &&
		test_write_lines project/plan/log.md project/plan/state.json >expect &&
		payload_files >actual &&
		test_cmp expect actual
	)
'

test_expect_success 'a document that is named and not there is told' '
	(
		in_new_repository gone &&
		git config rollback.stages.state nosuch.json &&
		create &&
		test_grep "^warning: .nosuch.json. is not kept .*: there is no such file" err &&
		manifest_is ".documents_left_out[0].path" "\"nosuch.json\""
	)
'

test_expect_success 'pathspecs of [checkpoint] include' '
	(
		in_new_repository include &&
		mkdir -p docs/deep sub &&
		echo 1 >docs/a.md && echo 2 >docs/deep/b.md && echo 3 >docs/c.txt && echo 4 >sub/x.md &&
		echo "docs/deep" >.gitignore && git add . && git commit -q -m one &&
		echo 5 >docs/untracked.md && rm docs/a.md && echo 6 >"docs/odd ü
name.md" &&
		git init -q docs/nested && echo 7 >docs/nested/n.md &&
		printf "[checkpoint]\ninclude = docs/*.md\ninclude = :(glob)sub/*\n" >.gitrollback &&
		create &&
		cat >expect <<-\END &&
		name.md
		project/docs/deep/b.md
		project/docs/odd ü
		project/docs/untracked.md
		project/sub/x.md
		END
		payload_files >actual &&
		test_cmp expect actual &&
		test_grep ! "^warning: .* is not kept" err
	)
'

test_expect_success 'an unmerged document is kept once' '
	(
		in_new_repository unmerged &&
		mkdir docs && echo 1 >docs/a && git add . && git commit -q -m one &&
		git switch -q -c side && echo 2 >docs/a && git commit -q -a -m two &&
		git switch -q - && echo 3 >docs/a && git commit -q -a -m three &&
		test_must_fail git merge side &&
		git config rollback.checkpoint.include docs &&
		create &&
		payload project/docs/a >actual &&
		test_cmp docs/a actual
	)
'

test_expect_success 'links, and what is below one, are left out and told' '
	(
		in_new_repository links &&
		mkdir docs real && echo secret >../outside && echo x >real/f &&
		ln -s ../../outside docs/out && ln -s ../real docs/in && ln -s real linked &&
		git config rollback.stages.state linked/f &&
		git config rollback.checkpoint.include docs &&
		create &&
		payload_files >actual &&
		test_must_be_empty actual &&
		test_grep "^warning: .docs/out. is not kept .*: it is a symbolic link" err &&
		test_grep "^warning: .docs/in. " err &&
		test_grep "^warning: .linked/f. " err &&
		manifest_is "[.documents_left_out[].path] | sort" "[\"docs/in\",\"docs/out\",\"linked/f\"]"
	)
'

test_expect_success 'paths that lead out, or into .git, although the user says so' '
	(
		in_new_repository leads-out &&
		echo x >../outside &&
		for path in ../outside "$TEST_ROOT/outside" a/../../outside .git/config
		do
			git config rollback.stages.state "$path" &&
			create &&
			test_grep "^warning: .$path. is not kept" err &&
			payload_files >actual &&
			test_must_be_empty actual || exit
		done
	)
'

test_expect_success 'a folder, a FIFO and a socket are no documents' '
	(
		in_new_repository kinds &&
		mkdir master-project.json && mkfifo cpo-progress.md &&
		create &&
		test_grep "master-project.json.*it is no regular file" err &&
		test_grep "cpo-progress.md.*it is no regular file" err
	)
'

test_expect_success 'a document that is too large is left out, with the limit' '
	(
		in_new_repository large &&
		head -c 3000 /dev/zero >master-project.json && head -c 2048 /dev/zero >cpo-progress.md &&
		git config rollback.checkpoint.bigFile 2k &&
		create &&
		echo project/cpo-progress.md >expect &&
		payload_files >actual &&
		test_cmp expect actual &&
		test_grep "master-project.json.*it is larger than 2.0 KiB (rollback.checkpoint.bigFile)" err
	)
'

test_lazy_prereq NOT_ROOT '
	test "$(id -u)" != 0
'

test_expect_success NOT_ROOT 'a document that cannot be read is left out' '
	(
		in_new_repository unreadable &&
		echo x >master-project.json && git add . && git commit -q -m one &&
		chmod 0 master-project.json &&
		create &&
		chmod 644 master-project.json &&
		test_grep "master-project.json.*ermission denied" err
	)
'

test_expect_success 'an untrusted .gitrollback names nothing outside' '
	(
		in_new_repository untrusted &&
		echo x >../outside &&
		printf "[stages]\nstate = ../outside\n" >.gitrollback &&
		test_expect_code 2 git checkpoint create --no-db c 2>err &&
		test_grep "stages.state.*outside the worktree" err
	)
'

# ---- Environment --------------------------------------------------------------------------------

test_expect_success 'the template is kept without its secrets, the environment is not' '
	(
		in_new_repository env &&
		cat >.env.example <<-\END &&
		# How to run it
		PORT=8080
		API_KEY="abc
		def"
		DATABASE_URL=postgres://u:abc@h/db
		HOST=h
		END
		echo "*.env* .env" >.gitignore && echo ".env*" >>.gitignore &&
		echo "API_KEY=abc" >.env && echo "API_KEY=abc" >.env.local &&
		git config rollback.checkpoint.include ".env*" &&
		create &&
		echo env/.env.example >expect &&
		payload_files >actual &&
		test_cmp expect actual &&
		test_write_lines "# How to run it" PORT=8080 HOST=h >expect &&
		payload env/.env.example >actual &&
		test_cmp expect actual &&
		manifest_is .environment "[{\"path\":\".env.example\",\"removed_lines\":3}]" &&
		test_grep "^warning: .\.env. is not kept .*: it holds the environment itself" err &&
		nowhere abc
	)
'

test_expect_success 'a template in another encoding is left out' '
	(
		in_new_repository utf16 &&
		printf "K\0E\0Y\0=\0a\0" >.env.example &&
		create &&
		test_grep ".env.example.*it is no plain text" err &&
		payload_files >actual &&
		test_must_be_empty actual
	)
'

# ---- Database -----------------------------------------------------------------------------------

test_expect_success 'a database: its migrations, its fingerprint and its schema' '
	test_when_finished "rm -rf migrations && db_reset" &&
	migration 9_nine "create table nine (id int primary key, \"odd name\" text)" "drop table nine" &&
	migration 10_ten "create view ten as select id from nine" "drop view ten" &&
	git apply-migration &&
	db_sql "CREATE ROLE ${db_name}_reader" &&
	test_when_finished "db_sql \"DROP OWNED BY ${db_name}_reader; DROP ROLE ${db_name}_reader\"" &&
	db_sql "GRANT SELECT ON nine TO ${db_name}_reader" &&
	create &&
	test_grep ! "^warning" err &&
	test_write_lines database/fingerprint.json database/migrations.json database/schema.sql >expect &&
	payload_files >actual &&
	test_cmp expect actual &&
	manifest_is "[.database.name, .database.reachable, .database.version, .database.applied]" \
		"[\"default\",true,\"10\",2]" &&
	manifest .database.fingerprint -r >expect &&
	payload database/fingerprint.json | jq -r .fingerprint >actual &&
	test_cmp expect actual &&
	payload database/fingerprint.json |
	jq -r ".objects[] | [.kind, .identity, (.digest | length)] | @tsv" >objects &&
	test_grep "^view	public.ten	64$" objects &&
	test_grep "^column	public.nine.\"odd name\"	64$" objects &&
	test_grep ! schema_migrations objects &&
	payload database/migrations.json |
	jq -r ".migrations[] | [.version, .name, (.checksum | length)] | @tsv" >actual &&
	printf "9\tnine\t64\n10\tten\t64\n" >expect &&
	test_cmp expect actual &&
	payload database/schema.sql >schema &&
	test_grep "^CREATE TABLE public.nine (" schema &&
	test_grep "OWNER TO" schema &&
	test_grep "^GRANT SELECT ON TABLE public.nine TO ${db_name}_reader;" schema
'

test_expect_success 'the same schema gives the same bytes' '
	db_sql "create table t ()" &&
	test_when_finished "db_reset" &&
	create &&
	git rev-parse refs/checkpoints/c^4:database >expect &&
	create &&
	git rev-parse refs/checkpoints/c^4:database >actual &&
	test_cmp expect actual
'

test_expect_success 'the dump can be read in again, and has what was there' '
	test_when_finished "db_drop ${db_name}_copy; db_reset" &&
	db_sql "create table t (id int generated always as identity, v text default \$\$a
\\restrict x\$\$)" &&
	create &&
	payload database/schema.sql >schema &&
	db_create "${db_name}_copy" &&
	"$PG_BINDIR"/psql -X -q -v ON_ERROR_STOP=1 -d "$(db_url "${db_name}_copy")" -f schema &&
	for name in "$db_name" "${db_name}_copy"
	do
		"$PG_BINDIR"/pg_dump --schema-only -d "$(db_url "$name")" |
		sed -E "/^.(un)?restrict [0-9a-zA-Z]{30}/d" >"$name" || return
	done &&
	mv "$db_name" expect && mv "${db_name}_copy" actual &&
	test_cmp expect actual
'

test_expect_success 'passwords in the options of foreign servers and users are masked' '
	test_when_finished "db_reset" &&
	db_sql "
		create foreign data wrapper w;
		create server s foreign data wrapper w
			options (host \$\$here\$\$, api_key \$\$s3cret\$\$, \"a-token\" \$\$s3cret\$\$);
		create user mapping for current_user server s
			options (\"user\" \$\$me\$\$, password \$\$s3cret, it)s \\ s3cret; \$\$, other \$\$s3cret
			s3cret\$\$);
		create user mapping for public server s;
		create foreign table ft (a text options (name \$\$x\$\$, pass \$\$s3cret\$\$) default \$\$it)s; \$\$) server s
			options (secret \$\$s3cret\$\$, plain \$\$word\$\$);
		create subscription sub connection \$\$host=nowhere password=s3cret\$\$ publication p
			with (connect = false);
		create table after_all ()" 2>/dev/null &&
	create &&
	db_sql "alter subscription sub set (slot_name = none); drop subscription sub" &&
	nowhere s3cret &&
	manifest_is .database.masked 6 &&
	payload database/schema.sql >schema &&
	test_grep "^    host .here.$" schema &&
	test_grep "^    api_key .\*\*\*.,$" schema &&
	test_grep "^    \"user\" .me.$" schema &&
	test_grep "^    plain .word.,$" schema &&
	test_grep "^CREATE USER MAPPING FOR public SERVER s;$" schema &&
	test_grep "^CREATE TABLE public.after_all" schema &&
	db_create "${db_name}_copy" &&
	"$PG_BINDIR"/psql -X -q -v ON_ERROR_STOP=1 -d "$(db_url "${db_name}_copy")" -f schema &&
	db_drop "${db_name}_copy"
'

test_expect_success 'with --no-db nothing is asked' '
	create --no-db &&
	manifest_is .database null &&
	payload_files >actual &&
	test_must_be_empty actual
'

test_expect_success 'no password is anywhere, not among the arguments either' '
	db_sql "CREATE ROLE ${db_name}_login LOGIN SUPERUSER PASSWORD \$\$s3cret\$\$" &&
	test_when_finished "db_sql \"DROP ROLE ${db_name}_login\"" &&
	mkdir "$TEST_ROOT/fake" &&
	write_script "$TEST_ROOT/fake/pg_dump" <<-END &&
	test "\$1" = --version || printf "%s\n" "\$@" "\${PGPASSWORD:-none}" >"$TEST_ROOT/arguments"
	exec "$PG_BINDIR/pg_dump" "\$@"
	END
	(
		DATABASE_URL="postgres://${db_name}_login:s3cret@/$db_name?host=$pg_host&port=$PG_PORT" &&
		PATH=$TEST_ROOT/fake:$PATH &&
		export DATABASE_URL PATH &&
		create
	) &&
	test_grep ! "^warning" err &&
	payload database/schema.sql >/dev/null &&
	tail -n 1 "$TEST_ROOT/arguments" >actual &&
	echo s3cret >expect &&
	test_cmp expect actual &&
	sed "\$d" "$TEST_ROOT/arguments" >arguments &&
	test_grep "^--dbname=" arguments &&
	test_grep ! s3cret arguments &&
	nowhere s3cret
'

test_expect_success 'a database that does not answer is recorded, and said; it is fast' '
	(
		DATABASE_URL="postgres://user:s3cret@/$db_name?host=$TEST_ROOT/nowhere" &&
		export DATABASE_URL &&
		echo x >master-project.json &&
		create &&
		test_grep "^warning: nothing of the database is kept: could not connect" err &&
		manifest_is "[.database.name, .database.reachable, .database.version]" \
			"[\"default\",false,null]" &&
		manifest .database.reason >reason &&
		test_grep "could not connect to database" reason &&
		echo project/master-project.json >expect &&
		payload_files >actual &&
		test_cmp expect actual &&
		nowhere s3cret
	)
'

test_expect_success 'one that takes the connection and says nothing is tried once' '
	mkdir "$TEST_ROOT/silent" &&
	cat >"$TEST_ROOT/listen" <<-\END &&
	use Socket;
	my ($path, $log) = @ARGV;
	socket(my $server, PF_UNIX, SOCK_STREAM, 0) or die;
	bind($server, sockaddr_un($path)) && listen($server, 9) or die;
	open(my $out, ">", $log) or die;
	while (accept(my $client, $server)) {
		push @clients, $client;
		syswrite($out, "x\n");
	}
	END
	{ perl "$TEST_ROOT/listen" "$TEST_ROOT/silent/.s.PGSQL.5432" "$TEST_ROOT/log" & } &&
	listener=$! &&
	test_when_finished "kill $listener" &&
	wait_until test -f "$TEST_ROOT/log" &&
	(
		DATABASE_URL="host=$TEST_ROOT/silent dbname=x connect_timeout=1" &&
		export DATABASE_URL &&
		create
	) &&
	test_grep "could not connect to database .default.: timeout expired" err &&
	manifest_is .database.reachable false &&
	test_line_count = 1 "$TEST_ROOT/log"
'

test_expect_success 'that is an error where it was asked for' '
	git config rollback.database.far.url "host=$TEST_ROOT/nowhere dbname=x password=s3cret" &&
	test_when_finished "git config --remove-section rollback.database.far" &&
	git update-ref -d refs/checkpoints/c &&
	test_expect_code 128 git checkpoint create --database=far c 2>err &&
	test_grep "could not connect to database .far." err &&
	test_grep ! s3cret err &&
	test_must_fail git rev-parse -q --verify refs/checkpoints/c &&
	test_expect_code 128 git checkpoint create --database=nosuch c 2>err &&
	test_grep "there is no database .nosuch." err &&
	test_must_fail git rev-parse -q --verify refs/checkpoints/c
'

test_expect_success 'an environment variable that is not set is recorded' '
	(
		unset DATABASE_URL &&
		git config rollback.database.dev.url env:NOT_SET &&
		create &&
		git config --remove-section rollback.database.dev &&
		manifest_is .database.reachable false &&
		test_grep "^warning: .*NOT_SET" err
	)
'

test_expect_success 'an untrusted .gitrollback connects nowhere' '
	(
		unset DATABASE_URL &&
		printf "[database \"dev\"]\nurl = %s\n" "$(db_url)" >.gitrollback &&
		create &&
		rm .gitrollback &&
		manifest_is .database.reachable false &&
		payload_files >actual &&
		test_grep ! database actual
	)
'

test_expect_success 'the table of another tool is named, and the rest is kept' '
	test_when_finished "db_reset" &&
	db_sql "create table schema_migrations (version text, dirty boolean)" &&
	create &&
	test_grep "^warning: no list of migrations of database .default. is kept: .*golang-migrate" err &&
	test_write_lines database/fingerprint.json database/schema.sql >expect &&
	payload_files >actual &&
	grep ^database actual >rest &&
	test_cmp expect rest &&
	payload database/fingerprint.json | jq -r ".objects[].identity" >objects &&
	test_grep "schema_migrations" objects
'

test_expect_success HIDE 'without a pg_dump that is new enough the rest is kept' '
	git update-ref -d refs/checkpoints/c && git update-ref -d refs/tags/checkpoint/c &&
	old_pg_dump git checkpoint create c 2>err &&
	test_grep "^warning: no schema of database .default. is kept: there is no pg_dump of version" err &&
	test_grep "^hint: Install it: on Debian, postgresql-client-" err &&
	test_write_lines database/fingerprint.json database/migrations.json >expect &&
	payload_files >actual &&
	grep ^database actual >rest &&
	test_cmp expect rest &&
	manifest_is "[.database.left_out[].part]" "[\"schema\"]"
'

test_expect_success 'a lock on a table does not hold a checkpoint up' '
	test_when_finished "db_reset" &&
	db_sql "create table t ()" &&
	git config rollback.migrations.lockTimeout 100ms &&
	test_when_finished "git config --unset rollback.migrations.lockTimeout" &&
	mkfifo pipe &&
	{ psql_db -f pipe >locked & } && psql=$! &&
	exec 7>pipe &&
	echo "BEGIN; LOCK TABLE t; SELECT 1;" >&7 &&
	wait_until test -s locked &&
	create &&
	exec 7>&- &&
	wait "$psql" &&
	rm pipe locked &&
	test_grep "^warning: no schema of database .default. is kept: " err &&
	manifest_is "[.database.left_out[].part]" "[\"schema\"]" &&
	payload database/migrations.json >/dev/null
'

test_done
