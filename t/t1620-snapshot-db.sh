#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git snapshot-db: keep what a database is, compare it, prove that it can be restored'

. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

saved=.git/rollback/saved

# What is there but whole snapshots.
leftovers () {
	for folder in "${1:-$saved}"/*/
	do
		test -f "$folder/manifest.json" || echo "$folder"
	done
	find "${1:-$saved}" -name "*.tmp*"
}

scratch_databases () {
	db_sql "SELECT datname FROM pg_database WHERE datname LIKE \$\$git_rollback_verify%\$\$"
}

test_expect_success 'set up' '
	git init -q . && test_commit base &&
	db_sql "CREATE TABLE t (id serial PRIMARY KEY, c text DEFAULT \$\$x\$\$);
		CREATE VIEW v AS SELECT id FROM t;
		INSERT INTO t (c) SELECT i::text FROM generate_series(1, 1000) AS i"
'

test_expect_success 'create: a schema by default, in git'\''s folder, for its owner alone' '
	git snapshot-db first >actual &&
	test_grep "^snapshot .first. of database default: [0-9]* objects, " actual &&
	git snapshot-db list --json >list.json &&
	jq -r ".snapshots[0].file" list.json >file &&
	test_path_is_file "$(cat file)" &&
	test_grep "CREATE TABLE public.t" "$(cat file)" &&
	test_grep ! "^COPY" "$(cat file)" &&
	case $(cat file) in "$PWD/$saved"/*) ;; *) false ;; esac &&
	find $saved -type f ! -perm 600 >actual && find $saved -type d ! -perm 700 >>actual &&
	test_must_be_empty actual &&
	leftovers >actual && test_must_be_empty actual
'

test_expect_success 'list: --json, --porcelain, -z and a table' '
	git snapshot-db --quiet second >actual && test_must_be_empty actual &&
	git snapshot-db list --json >list.json &&
	jq -r ".format, (.snapshots[] | .label, .database, .data, (keys | join(\" \")))" list.json >actual &&
	keys="created_at data database file fingerprint label" &&
	test_write_lines 1 second default false "$keys" first default false "$keys" >expect &&
	test_cmp expect actual &&
	jq -r ".snapshots[] | [.label, .file, .created_at, .database, .fingerprint, .data] | join(\"\t\")" \
		list.json >expect &&
	git snapshot-db list --porcelain >actual &&
	test_cmp expect actual &&
	git snapshot-db list -z | tr "\0" "\n" >actual &&
	test_cmp expect actual &&
	git snapshot-db list >actual &&
	test_line_count = 2 actual &&
	test_grep "^first  .* default  schema  " actual &&
	git snapshot-db list --database=other >actual && test_must_be_empty actual &&
	mkdir -p sub && (cd sub && git snapshot-db list --porcelain) >actual &&
	test_cmp expect actual
'

test_expect_success 'the fingerprint is that of the schema, and no other' '
	jq -r ".snapshots[].fingerprint" list.json | sort -u >actual &&
	test_line_count = 1 actual &&
	"$BUILD"/t/unit/pg-catalog-tool fingerprint -x public.schema_migrations \
		-x public.schema_rollback_log "$DATABASE_URL" >expect &&
	test_cmp expect actual
'

test_expect_success 'labels: unique, and as git takes them in a ref' '
	test_expect_code 2 git snapshot-db first 2>err &&
	test_grep "there is a snapshot .first. already" err &&
	for label in "a b" "a..b" -- "x.lock" "/x" "a:b" "" "a~1"
	do
		test_expect_code 129 git snapshot-db create -- "$label" 2>err || return 1
	done &&
	test_expect_code 129 git snapshot-db lst --oops 2>err &&
	test_expect_code 129 git snapshot-db a b 2>err &&
	test_expect_code 129 git snapshot-db create list 2>err &&
	test_grep "is a command of git snapshot-db" err &&
	git snapshot-db list --porcelain >actual && test_line_count = 2 actual &&
	test_expect_code 128 git snapshot-db show frist 2>err &&
	test_grep "there is no snapshot .frist." err &&
	test_grep "Did you mean .first.?" err
'

test_expect_success 'the label is the time where there is none' '
	GIT_ROLLBACK_TEST_NOW=1767225600 git snapshot-db --quiet &&
	GIT_ROLLBACK_TEST_NOW=1767225600 git snapshot-db --quiet &&
	git snapshot-db list --porcelain | cut -f 1 | sort >actual &&
	test_write_lines 20260101T000000Z 20260101T000000Z-2 first second >expect &&
	test_cmp expect actual
'

test_expect_success 'show says what it is' '
	git snapshot-db show first >actual &&
	test_grep "^label: *first" actual && test_grep "^kind: *schema" actual &&
	test_grep "^file: *$(cat file)" actual &&
	test_grep "^SHA-256: *$(sha256sum <"$(cat file)" | cut -d" " -f1)" actual &&
	git snapshot-db show --json first >show.json &&
	jq -e ".snapshot.objects > 5 and .snapshot.bytes == $(wc -c <"$(cat file)")
		and .snapshot.command == \"git snapshot-db\" and .snapshot.data == false" show.json
'

test_expect_success 'diff: object by object, against another and against the database' '
	git snapshot-db diff first second >actual && test_must_be_empty actual &&
	db_sql "CREATE TABLE u (); ALTER TABLE t ALTER c SET DEFAULT \$\$y\$\$; DROP VIEW v" &&
	git snapshot-db --quiet third &&
	cat >expect <<-\END &&
	~ column public.t.c: default '\''x'\''::text → '\''y'\''::text
	+ table public.u
	- view public.v
	- view column public.v.id
	END
	LC_ALL=C.UTF-8 git snapshot-db diff first third >actual &&
	grep -v "^- view column" expect >expect.short && grep -v "^. .*column public.v" actual >actual.short &&
	test_cmp expect.short actual.short &&
	LC_ALL=C.UTF-8 git snapshot-db diff first --live >live &&
	test_cmp actual live &&
	git snapshot-db diff third --live --exit-code >actual && test_must_be_empty actual &&
	test_expect_code 1 git snapshot-db diff --exit-code first third >actual &&
	git snapshot-db diff --json first third >diff.json &&
	jq -e ".same == false and (.differences[] | select(.identity == \"public.u\")
		| .kind == \"table\" and .before == null and (.after | length) == 64)" diff.json &&
	test_expect_code 129 git snapshot-db diff first 2>err &&
	test_expect_code 129 git snapshot-db diff first third --live 2>err
'

test_expect_success 'rows come with --data, and the archive restores by pg_restore alone' '
	db_sql "SELECT lo_from_bytea(4711, \$\$abc\$\$)" &&
	git snapshot-db --data full >actual &&
	test_grep "with rows" actual &&
	git snapshot-db list --json | jq -r ".snapshots[] | select(.data) | .file" >file &&
	db_create ${db_name}_copy &&
	"$PG_BINDIR"/pg_restore -d "$(db_url ${db_name}_copy)" "$(cat file)" &&
	psql_at ${db_name}_copy -c "SELECT count(*), sum(id) FROM t" \
		-c "SELECT lo_get(4711)" >actual &&
	test_write_lines "1000|500500" "\\x616263" >expect &&
	test_cmp expect actual
'

test_expect_success 'verify: digests, and restored it is what it was' '
	git snapshot-db verify first full >actual &&
	test_line_count = 2 actual &&
	test_grep "first: restored, and it is what it was" actual &&
	test_grep "full: restored, and it is what it was" actual &&
	git snapshot-db verify --all --json >verify.json &&
	jq -e ".good and ([.snapshots[].good] | all) and (.snapshots | length) == 6" verify.json &&
	scratch_databases >actual && test_must_be_empty actual &&
	git snapshot-db verify --no-restore first >actual &&
	test_grep "first: its digests are right" actual &&
	test_expect_code 129 git snapshot-db verify 2>err &&
	test_expect_code 129 git snapshot-db verify --all first 2>err
'

test_expect_success 'verify: what was changed on disk is found' '
	cp -R $saved kept && test_when_finished "rm -rf $saved && mv kept $saved" &&
	file=$(git snapshot-db list --json | jq -r ".snapshots[] | select(.label == \"first\") | .file") &&
	sed -i s/public.t/public.s/ "$file" &&
	test_expect_code 1 git snapshot-db verify first second >actual 2>err &&
	test_grep "first: damaged" actual && test_grep "second: restored" actual &&
	test_grep "is damaged: its digest is not the manifest" err &&
	rm "$file" &&
	test_expect_code 1 git snapshot-db verify first 2>err >actual &&
	test_grep "is damaged: it is not there" err
'

test_expect_success 'verify: a dump that is whole and does not fit is no snapshot' '
	cp -R $saved kept && test_when_finished "rm -rf $saved && mv kept $saved" &&
	file=$(git snapshot-db list --json | jq -r ".snapshots[] | select(.label == \"first\") | .file") &&
	sed -i "s/DEFAULT .x./DEFAULT '\''z'\''/" "$file" &&
	manifest=${file%/*}/manifest.json &&
	sum=$(sha256sum <"$file" | cut -d" " -f1) &&
	jq "(.parts[] | select(.kind == \"schema\").sha256) = \"$sum\"" "$manifest" >new &&
	cat new >"$manifest" &&
	test_expect_code 1 git snapshot-db verify first >actual &&
	test_grep "first: restored, and it is not what it was" actual &&
	test_grep "column public.t.c: default" actual &&
	echo "SELECT nosuch;" >>"$file" &&
	sum=$(sha256sum <"$file" | cut -d" " -f1) &&
	jq "(.parts[] | select(.kind == \"schema\")) |= (.sha256 = \"$sum\" | .bytes = $(wc -c <"$file")
		| .content_bytes = .bytes)" "$manifest" >new &&
	cat new >"$manifest" &&
	test_expect_code 1 git snapshot-db verify first >actual 2>err &&
	test_grep "first: not restored" actual &&
	test_grep "could not restore it: column \"nosuch\" does not exist" err &&
	scratch_databases >actual && test_must_be_empty actual
'

test_expect_success 'verify: a role that may not create databases is told so' '
	db_sql "CREATE ROLE t1620_plain LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO t1620_plain" &&
	test_when_finished "db_sql \"DROP OWNED BY t1620_plain; DROP ROLE t1620_plain\"" &&
	DATABASE_URL=$(db_url | sed "s/user=.*/user=t1620_plain/") &&
	test_expect_code 1 git snapshot-db verify first >actual 2>err &&
	DATABASE_URL=$(db_url) &&
	test_grep "role .t1620_plain. may not create databases" err &&
	test_grep "no-restore" err
'

test_expect_success 'verify: the scratch database goes when it is interrupted, and after a kill' '
	db_sql "CREATE TABLE big AS SELECT i, repeat(md5(i::text), 20) AS c FROM generate_series(1, 200000) AS i" &&
	git snapshot-db --data --quiet big &&
	db_sql "DROP TABLE big" &&
	for signal in TERM KILL
	do
		git-snapshot-db verify big >actual 2>err &
		pid=$! &&
		until scratch_databases | grep -q .
		do
			kill -0 $pid || return 1
		done &&
		kill -$signal $pid &&
		{ wait $pid; code=$?; } &&
		case $signal in
		TERM)
			test $code = 130 &&
			scratch_databases >actual && test_must_be_empty actual ;;
		KILL)
			until git snapshot-db verify first >actual 2>err &&
				scratch_databases >databases && ! test -s databases
			do
				test_grep ! "could not drop" err || cat err
			done ;;
		esac || return 1
	done
'

test_expect_success 'prune asks, keeps the newest, and removes nothing else' '
	mkdir $saved/20260101T000000.000000Z-abcd && echo "{\"format\":1,\"operation\":\"20260101T000000.000000Z-abcd\",
		\"command\":\"git rollback-db\",\"complete\":true,\"parts\":[]}" \
		>$saved/20260101T000000.000000Z-abcd/manifest.json &&
	test_expect_code 2 git snapshot-db prune --keep 2 2>err </dev/null &&
	test_grep "remove first" err &&
	git snapshot-db prune --keep 2 --dry-run >actual &&
	test_grep "remove first" actual &&
	git snapshot-db list --porcelain >actual && test_line_count = 7 actual &&
	head -2 actual | cut -f 1 >expect &&
	git snapshot-db prune --keep 2 --yes --json >prune.json &&
	jq -e "(.removed | length) == 5 and (.kept | length) == 2" prune.json &&
	git snapshot-db list --porcelain | cut -f 1 >actual &&
	test_cmp expect actual &&
	test_path_is_dir $saved/20260101T000000.000000Z-abcd &&
	test_expect_code 129 git snapshot-db prune 2>err
'

test_expect_success 'a folder of one'\''s own choice, in which no link leads elsewhere' '
	git config rollback.snapshots.directory db/snapshots &&
	test_when_finished "git config --unset rollback.snapshots.directory" &&
	git snapshot-db list >actual && test_must_be_empty actual &&
	git snapshot-db --quiet here &&
	git snapshot-db list --json | jq -r ".snapshots[].file" >file &&
	case $(cat file) in "$PWD"/db/snapshots/*) ;; *) false ;; esac &&
	test_path_is_file "$(cat file)" &&
	mv db/snapshots elsewhere && ln -s ../elsewhere db/snapshots &&
	test_expect_code 128 git snapshot-db again 2>err &&
	test_grep "cannot keep snapshots in .db/snapshots." err &&
	rm -r db elsewhere &&
	git config rollback.snapshots.directory "$PWD/absolute" &&
	git snapshot-db --quiet here && ls absolute >actual && test_line_count = 1 actual &&
	rm -r absolute
'

test_expect_success 'a tracked file may not send them outside' '
	test_when_finished "rm .gitrollback" &&
	printf "[snapshots]\ndirectory = ../outside\n" >.gitrollback &&
	test_expect_code 2 git snapshot-db outside 2>err &&
	test_path_is_missing ../outside
'

test_expect_success 'passwords in options are masked in a schema' '
	db_sql "CREATE EXTENSION postgres_fdw;
		CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host \$\$h\$\$);
		CREATE USER MAPPING FOR current_user SERVER far OPTIONS (user \$\$u\$\$, password \$\$very-secret\$\$)" &&
	test_when_finished "db_sql \"DROP EXTENSION postgres_fdw CASCADE\"" &&
	git snapshot-db --quiet masked &&
	! grep -r very-secret .git &&
	git snapshot-db show masked >actual && test_grep "^masked: *1" actual &&
	git snapshot-db verify masked >actual && test_grep "it is what it was" actual
'

# A pg_dump that breaks off, or is not there, or writes nothing.
fake_pg_dump () {
	mkdir -p bin && write_script bin/pg_dump
}

test_expect_success 'what pg_dump did not finish never becomes a snapshot' '
	git snapshot-db list --porcelain >before &&
	fake_pg_dump <<-END &&
	test "\$1" != --version || { echo "pg_dump (PostgreSQL) 99.0"; exit; }
	echo "CREATE TABLE half ("
	echo "pg_dump: error: the disk is on fire" >&2
	exit 1
	END
	test_expect_code 128 env PATH="$PWD/bin:$PATH" git snapshot-db broken 2>err &&
	test_grep "the disk is on fire" err &&
	test_expect_code 128 env PATH="$PWD/bin:$PATH" git snapshot-db --data broken 2>err &&
	test_grep "the disk is on fire" err &&
	fake_pg_dump <<-\END &&
	test "$1" != --version || { echo "pg_dump (PostgreSQL) 99.0"; exit; }
	END
	test_expect_code 128 env PATH="$PWD/bin:$PATH" git snapshot-db broken 2>err &&
	test_grep "pg_dump wrote nothing" err &&
	test_expect_code 128 env PATH="$PWD/bin:$PATH" git snapshot-db --data broken 2>err &&
	test_grep "pg_dump wrote nothing" err &&
	git snapshot-db list --porcelain >after && test_cmp before after &&
	leftovers >actual && test_must_be_empty actual
'

test_expect_success 'a full disk: a plain error, and nothing is left' '
	test_expect_code 128 sh -c "trap \"\" XFSZ; ulimit -f 2; exec git snapshot-db --data full2" 2>err &&
	test_grep "could not\|cannot" err &&
	git snapshot-db list --porcelain >after && test_cmp before after &&
	leftovers >actual && test_must_be_empty actual
'

test_expect_success 'the password is nowhere' '
	db_sql "CREATE ROLE t1620 SUPERUSER LOGIN PASSWORD \$\$very-secret\$\$" &&
	test_when_finished "db_sql \"DROP ROLE t1620\"" &&
	DATABASE_URL="$(db_url | sed s/user=.*/user=t1620/)&password=very-secret" &&
	fake_pg_dump <<-END &&
	printf "%s\n" "\$@" >>"$PWD/arguments"
	exec "$PG_BINDIR/pg_dump" "\$@"
	END
	PATH=$PWD/bin:$PATH git snapshot-db secret >out 2>err &&
	PATH=$PWD/bin:$PATH git snapshot-db --data secret2 >>out 2>>err &&
	git snapshot-db show --json secret >>out &&
	DATABASE_URL=$(db_url) &&
	test_grep "user=.t1620" arguments &&
	! grep very-secret out err arguments &&
	! grep -r very-secret .git/rollback
'

test_expect_success 'killed at any moment: no half snapshot, and the next sweeps' '
	: >codes &&
	for call in mkdirat fsync renameat rename
	do
		for n in 1 2 3 4 5
		do
			test_strace -qq -e trace=$call -e inject=$call:signal=KILL:when=$n -o /dev/null \
				git-snapshot-db kill-$call-$n >out 2>&1
			echo $? >>codes
			git snapshot-db verify --no-restore --all >out || return 1
		done
	done &&
	grep 137 codes >killed && test $(wc -l <killed) -ge 8 &&
	git snapshot-db --quiet after-kill &&
	leftovers >actual && test_must_be_empty actual
'

# ---- Before a change -----------------------------------------------------------------------------

test_expect_success 'apply-migration takes one first where the environment wants it' '
	db_reset && rm -rf $saved &&
	migration 1_one "CREATE TABLE one ();" "DROP TABLE one;" &&
	migration 2_two "CREATE TABLE two ();" "DROP TABLE two;" &&
	git config rollback.database.staging.url "$DATABASE_URL" &&
	git apply-migration --quiet --to 1 && git snapshot-db list >actual && test_must_be_empty actual &&
	git config rollback.database.staging.snapshot true &&
	git apply-migration --dry-run >actual && test_grep "a snapshot of it first" actual &&
	git apply-migration --dry-run --json | jq -e ".snapshot == true" &&
	git apply-migration --rehearse >actual &&
	git snapshot-db list >actual && test_must_be_empty actual &&
	git apply-migration --json >apply.json &&
	label=$(jq -r .snapshot apply.json) &&
	test "$label" = "before-apply-$(jq -r .operation apply.json)" &&
	LC_ALL=C.UTF-8 git snapshot-db diff "$label" --live >actual &&
	echo "+ table public.two" >expect && test_cmp expect actual &&
	git snapshot-db show --json "$label" | jq -e ".snapshot.version == \"1\" and .snapshot.applied == 1
		and .snapshot.command == \"git apply-migration\"" &&
	git apply-migration && git snapshot-db list >actual && test_line_count = 1 actual
'

test_expect_success 'a protected one always, and where it cannot be taken nothing is applied' '
	git config --unset rollback.database.staging.snapshot &&
	git config rollback.database.staging.protected true &&
	migration 3_three "CREATE TABLE three ();" "DROP TABLE three;" &&
	fake_pg_dump <<-END &&
	test "\$1" != --version || { echo "pg_dump (PostgreSQL) 99.0"; exit; }
	echo "pg_dump: error: the disk is on fire" >&2
	exit 1
	END
	test_expect_code 128 env PATH="$PWD/bin:$PATH" git apply-migration --yes --confirm=staging 2>err &&
	test_grep "could not take a snapshot of database .staging.: .*the disk is on fire" err &&
	db_sql "SELECT to_regclass(\$\$three\$\$) IS NULL, count(*) FROM schema_migrations" >actual &&
	echo "t|2" >expect && test_cmp expect actual &&
	git migration-status --quiet >actual 2>err && test_must_be_empty err &&
	git apply-migration --yes --confirm=staging 2>err &&
	test_grep "Snapshot .before-apply-.* was taken" err &&
	git snapshot-db list >actual && test_line_count = 2 actual &&
	leftovers >actual && test_must_be_empty actual
'

test_expect_success 'verify restores on the server of a protected one only when told to' '
	test_expect_code 2 git snapshot-db verify --all 2>err &&
	test_grep "confirm=staging" err &&
	git snapshot-db verify --all --confirm=staging >actual &&
	test_line_count = 2 actual
'

test_done
