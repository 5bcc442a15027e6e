#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='the manual: it says what the commands say, and what it shows is what they do

A block [source,console] of a manual page, or ```console of README.md, is a session: what stands behind
`$ ` is run (what follows on lines with `> ` belongs to it), and the rest is compared with what comes.
Times, ages, commits and checksums may differ. Blocks ```sh of the tour are run and must succeed. Other
blocks are only read.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

man=$TEST_TOP/man
readme=$TEST_TOP/README.md

test_lazy_prereq MAN 'man --version && git help -m git'

# The command that a page is about, as one types it.
command_of () {
	case $1 in
	git-rollback) echo git rollback trust ;;
	*) echo "git ${1#git-}" ;;
	esac
}

# The options of a command, or of all its verbs.
options_of () {
	verbs_=
	case $1 in
	git-checkpoint) verbs_="list show diff restore undo verify drop prune export" ;;
	git-snapshot-db) verbs_="list show diff verify prune" ;;
	esac
	for verb_ in "" $verbs_
	do
		# shellcheck disable=SC2086 # none is no argument
		$(command_of "$1") $verb_ -h >usage || return 1
		sed -n -e "s/^    \(-.*\)/\1/p" usage
	done
}

commands=
for page in "$man"/git-*.adoc
do
	name=${page##*/}
	commands="$commands ${name%.adoc}"
done

# The lines of a section, given by its title.
section () {	# file, title
	awk -v title="$2" '
	{ line[NR] = $0 }
	END {
		for (i = 1; i <= NR; i++) {
			is_title = i < NR && line[i + 1] ~ /^(---*|===*)$/ && length(line[i]) > 1 &&
				length(line[i]) == length(line[i + 1])
			if (is_title)
				inside = line[i] == title && ++found
			else if (inside && !(line[i] ~ /^---*$/ && length(line[i]) == length(title)))
				print line[i]
		}
		exit !found
	}' "$1"
}

# ---- What -h says and what the page says ---------------------------------------------------------

for name in $commands
do
	test_expect_success "$name: SYNOPSIS is the usage of -h" '
		section "$man/$name.adoc" SYNOPSIS >synopsis &&
		sed -e /verse/d -e "/^$/d" -e "s/'\''//g" synopsis >expect &&
		test -s expect &&
		$(command_of $name) -h >usage &&
		sed -n -e "s/^usage: //p" -e "s/^   or: //p" usage >actual &&
		test_cmp expect actual
	'

	# -n, --[no-]dry-run is two options; what follows after two blanks is help.
	test_expect_success "$name: OPTIONS has every option of -h, and no others" '
		options_of $name >lines &&
		sed -e "s/   *.*//" -e "s/, /\n/g" lines |
			sed -e "s/^--\[no-\]/--/" -e "/^--no-/d" | sort -u >expect &&
		test -s expect &&
		section "$man/$name.adoc" OPTIONS >options &&
		sed -n -e "s/^\(-.*\)::$/\1/p" options |
			sed -e "s/^--\[no-\]/--/" -e "/^--no-/d" | sort >actual &&
		test_cmp expect actual
	'

	test_expect_success "$name: the sections are in git's order" '
		cat >order <<-\END &&
		NAME
		SYNOPSIS
		DESCRIPTION
		OPTIONS
		OUTPUT
		EXIT STATUS
		EXAMPLES
		CONFIGURATION
		ENVIRONMENT
		FILES
		SEE ALSO
		GIT
		END
		grep -x -f order "$man/$name.adoc" >actual &&
		grep -x -f actual order >expect &&
		test_cmp expect actual &&
		for title in NAME SYNOPSIS DESCRIPTION OPTIONS OUTPUT "EXIT STATUS" EXAMPLES "SEE ALSO" GIT
		do
			test_grep -x "$title" actual || return 1
		done
	'

	test_expect_success "$name: -h, --version and completion fail into a full disk" '
		for option in -h --version --git-completion-helper
		do
			test_expect_code 128 $(command_of $name) $option 2>err >/dev/full &&
			test_grep "No space left\|no space left" err || return 1
		done
	'
done

for page in "$man"/*.adoc
do
	test_expect_success "${page##*/} builds without a warning" '
		asciidoctor -b manpage --failure-level=WARN -o page "$page" >out 2>&1 &&
		test_must_be_empty out
	'
done

test_expect_success 'pages refer to pages of ours that there are' '
	sed -n "s/.*\*\(git-*rollback[a-z-]*\|git-checkpoint\|git-snapshot-db\|git-[a-z]*-migration\|git-migration-[a-z]*\)\*([15]).*/\1/p" \
		"$man"/*.adoc | sort -u >names &&
	test -s names &&
	while read -r name
	do
		test_path_is_file "$man/$name.adoc" || return 1
	done <names
'

test_expect_success MAN 'git NAME --help finds the page after make install' '
	mkdir "$TEST_ROOT/build" &&
	ln -s "$BUILD/bin" "$TEST_ROOT/build/bin" &&
	make --no-print-directory -C "$TEST_TOP" BUILD="$TEST_ROOT/build" \
		prefix="$TRASH_DIRECTORY/usr" man install-files &&
	for name in $commands
	do
		MANPATH="$TRASH_DIRECTORY/usr/share/man" MANPAGER=cat MANWIDTH=200 \
			git "${name#git-}" --help >page &&
		test_grep "^ *$name - " page || return 1
	done
'

# ---- Sessions ------------------------------------------------------------------------------------

# Makes of a document on standard input: session.sh, which runs what stands there, and expect, which it
# should print.
read_sessions () {
	: >expect &&
	awk -v quote="'" '
	function say(text) {
		gsub(quote, quote "\\" quote quote, text)
		print "printf " quote "%s\\n" quote " " quote text quote
	}
	BEGIN { print "exec 9>>setup.log" }
	/^```console$/ { block = "console"; end = "^```$"; next }
	/^```sh$/ { block = "sh"; end = "^```$"; print "set -e\n{"; next }
	/^\[source,console\]$/ { getline; block = "console"; end = "^----$"; next }
	block && $0 ~ end {
		if (block == "sh")
			print "} >&9 2>&9\nset +e"
		block = ""
		next
	}
	block == "sh" { print }
	block == "console" {
		print >"expect"
		if (/^\$ /) {
			# All of its lines are shown before it is run.
			typed = $0
			command = substr($0, 3)
			more = command ~ /\\$/
			if (!more) { say(typed); print command }
		} else if (more && /^> /) {
			typed = typed "\n" $0
			command = command "\n" substr($0, 3)
			more = /\\$/
			if (!more) { say(typed); print command }
		}
	}' >session.sh
}

settle () {
	sed -E -e 's/\([0-9.]+ m?s\)/(TIME)/' -e 's/[0-9a-f]{64}/CHECKSUM/' \
		-e 's/\([0-9a-f]{7,40}\)/(COMMIT)/' \
		-e 's/^[0-9a-f]{7} /COMMIT /' -e 's/^  [0-9a-f]{10} /  COMMIT /' -e 's/(names it as) [0-9a-f]{7,40}/\1 COMMIT/' \
		-e 's/applied (just now|[0-9]+ seconds? ago)/applied AGE/' "$1"
}

run_sessions () {
	test -s expect || test_bug "there is no session"
	sh session.sh >actual 2>&1
	settle expect >expect.settled &&
	settle actual >actual.settled &&
	test_cmp expect.settled actual.settled
}

# Each page gets a repository, and a database that is empty.
fresh () {
	git init -q "$TRASH_DIRECTORY/$1" &&
	cd "$TRASH_DIRECTORY/$1" &&
	printf '%s\n' session.sh expect actual '*.settled' setup.log >.git/info/exclude &&
	db_reset
}

commit () {
	test_tick &&
	git add migrations &&
	git commit -q -m "$1"
}

purchase_orders () {
	migration 20260112_001_create_purchase_orders \
		"CREATE TYPE po_status AS ENUM ('draft', 'sent');
		CREATE TABLE purchase_orders (id integer PRIMARY KEY, status po_status);" \
		'DROP TABLE purchase_orders;' &&
	commit 'Add purchase orders'
}

po_items () {
	migration 20260112_002_add_po_items \
		'CREATE TABLE po_items (id integer PRIMARY KEY, po integer REFERENCES purchase_orders);' \
		'DROP TABLE po_items;'
}

attachments () {
	purchase_orders &&
	git switch -q -c attachments &&
	po_items &&
	migration 20260112_003_create_po_attachments \
		'CREATE TABLE po_attachments (po integer REFERENCES purchase_orders, file text);' \
		'DROP TABLE po_attachments;' &&
	commit 'Add items and attachments'
}

test_expect_success 'git-apply-migration: the examples' '
	fresh apply &&
	purchase_orders && po_items && commit "Add items" &&
	git switch -q -c index-items &&
	migration 20260112_003_index_items "CREATE INDEX CONCURRENTLY idx_po_items_po ON po_items (po);" &&
	commit "Index items" &&
	git switch -q -c notes &&
	migration 20260112_004_order_notes "ALTER TABLE purchase_orders ADD note text;" \
		"ALTER TABLE purchase_orders DROP note;" &&
	commit "Add notes" &&
	git switch -q main &&
	read_sessions <"$man"/git-apply-migration.adoc &&
	run_sessions
'

test_expect_success 'git-migration-status: the examples' '
	fresh status &&
	attachments &&
	git apply-migration --quiet --next=2 &&
	read_sessions <"$man"/git-migration-status.adoc &&
	run_sessions
'

test_expect_success 'git-rollback-db: the examples' '
	fresh rollback &&
	attachments &&
	git apply-migration --quiet &&
	read_sessions <"$man"/git-rollback-db.adoc &&
	run_sessions
'

test_expect_success 'git-checkpoint: the examples' '
	fresh checkpoint &&
	echo one >importer.c && git add importer.c && git commit -q -m one &&
	echo two >importer.c && git add importer.c && echo three >>importer.c && echo note >notes.txt &&
	read_sessions <"$man"/git-checkpoint.adoc &&
	(unset DATABASE_URL && run_sessions)
'

test_expect_success 'git-snapshot-db: the examples' '
	fresh snapshot &&
	purchase_orders && git apply-migration --quiet && po_items && commit "Add items" &&
	read_sessions <"$man"/git-snapshot-db.adoc &&
	run_sessions
'

test_expect_success 'git-revert-track: the examples' '
	. "$TEST_DIRECTORY"/lib-tracks.sh &&
	project revert-track &&
	printf "%s\n" session.sh "*.settled" >>.git/info/exclude &&
	track auth_20260107 "Sign people in" <<-\EOF &&
	# Plan
	## Phase 1: Sessions
	- [ ] Task: Keep sessions in a table
	- [ ] Task: Let sessions expire
	EOF
	sed "s/\[ \]/[~]/" conductor/tracks.md >new && mv new conductor/tracks.md &&
	git add -A && git commit -q --amend --no-edit &&
	work table.c "feat(auth): Keep sessions in a table" && sha=$(tip) &&
	mark auth_20260107 "Keep sessions in a table" "$sha" &&
	work expire.c "feat(auth): Expire sessions after a day" && sha=$(tip) &&
	mark auth_20260107 "Let sessions expire" "$sha" &&
	read_sessions <"$man"/git-revert-track.adoc &&
	(unset DATABASE_URL && run_sessions)
'

# It creates a database by name, so it gets a server of its own.
test_expect_success 'README: the five minutes' '
	pg_start_private_cluster readme &&
	test_when_finished "pg_stop readme && pg_use && unset PGHOST PGPORT PGUSER" &&
	PGHOST=$pg_host PGPORT=$PG_PORT PGUSER=$PG_SUPERUSER &&
	export PGHOST PGPORT PGUSER &&
	mkdir readme && cd readme &&
	sed -n "/^## Five minutes/,/^## Commands/p" "$readme" | read_sessions &&
	grep "^createdb" session.sh &&
	PATH=$PATH:$PG_BINDIR run_sessions
'

test_expect_success 'README: the session at the top is a part of the demo' '
	sed -n "1,/^## /p" "$readme" | read_sessions &&
	BUILD="$BUILD" TMPDIR=/tmp "$TEST_TOP"/contrib/demo/demo.sh >demo 2>&1 </dev/null &&
	settle expect | sed "/^$/d" >expect.settled &&
	test -s expect.settled &&
	settle demo | sed "/^$/d" >demo.settled &&
	awk "NR == FNR { want[++nr] = \$0; next }
		at < nr && \$0 == want[at + 1] { at++; print }" expect.settled demo.settled >actual.settled &&
	test_cmp expect.settled actual.settled
'

test_expect_success 'README: links lead to files, and every page is linked' '
	sed -n "s/.*](\([^)]*\)).*/\1/p" "$readme" | grep -v "^https*:" >links &&
	test -s links &&
	while read -r link
	do
		test_path_is_file "$TEST_TOP/$link" || return 1
	done <links &&
	for page in "$man"/*.adoc
	do
		test_grep "](man/${page##*/})" "$readme" || return 1
	done
'

# ---- Output --------------------------------------------------------------------------------------

keys_are_documented () {	# page, file with JSON
	section "$man/$1.adoc" OUTPUT >output &&
	jq -r 'if .summary then .summary = {} else . end |
		if .validation then .validation.objects_before = {} | .validation.objects_after = {} else . end |
		.. | objects | keys[]' <"$2" | sort -u >keys &&
	test -s keys &&
	while read -r key
	do
		test_grep -F "\`$key\`" output || return 1
	done <keys
}

# Of what is going to be done, what has been, what has failed, and what goes on.
test_expect_success 'every key of --json is in the manual' '
	fresh json &&
	attachments &&
	migration 20260112_004_broken "SELECT 1/0;" "SELECT 1;" &&
	git apply-migration --dry-run --json >1 &&
	git apply-migration --rehearse --next=3 --json >2 &&
	test_expect_code 128 git apply-migration --json >3 &&
	rm migrations/20260112_004_* &&
	migration 20260112_005_outside "-- rollback: no-transaction
	SELECT 1; SELECT 1/0;" "SELECT 1;" &&
	test_expect_code 128 git apply-migration &&
	git migration-status --json >4 &&
	git apply-migration --continue --dry-run --json >5 &&
	git rollback-db 20260112_005 --dry-run --json >6 &&
	git rollback-db 20260112_005 --yes --json >7 &&
	git rollback-db --last 2 --yes --json >8 &&
	test_expect_code 1 git rollback-db --all --yes --json >9 &&
	echo "SELECT 1/0;" >migrations/20260112_001_create_purchase_orders.down.sql &&
	test_expect_code 128 git rollback-db --all --yes --json >10 &&
	for i in 1 2 3 5
	do
		keys_are_documented git-apply-migration $i || return 1
	done &&
	keys_are_documented git-migration-status 4 &&
	for i in 6 7 8 9 10
	do
		keys_are_documented git-rollback-db $i || return 1
	done
'

test_expect_success 'every key of git checkpoint --json is in the manual' '
	fresh checkpoint-json &&
	attachments && echo 1 >file && git add file && echo 2 >file && echo secret >.env &&
	git apply-migration --quiet --next=2 &&
	git checkpoint --json --stage 3 one -m one >../checkpoint.1 &&
	git checkpoint list --json >../checkpoint.2 &&
	git checkpoint list --operations --json >../checkpoint.3 &&
	git checkpoint show --json one >../checkpoint.whole && jq "del(.manifest[])" ../checkpoint.whole >../checkpoint.4 &&
	git commit -q -a -m more && rm .env && echo new >new &&
	git checkpoint restore one --yes --json >../checkpoint.5 &&
	git checkpoint undo --yes --json >../checkpoint.6 &&
	test_expect_code 2 git checkpoint restore one --json >../checkpoint.7 &&
	git checkpoint verify --json >../checkpoint.8 &&
	git checkpoint export --json one ../exported >../checkpoint.9 &&
	git checkpoint drop --json one >../checkpoint.10 &&
	git checkpoint --quiet && git checkpoint prune --keep 0 --dangling --yes --json >../checkpoint.11 &&
	for i in 1 2 3 4 5 6 7 8 9 10 11
	do
		keys_are_documented git-checkpoint ../checkpoint.$i || return 1
	done
'

test_expect_success 'every state of a migration is in the manual' '
	jq -r ".summary | keys[] | gsub(\"_\"; \"-\")" <json/4 | sort >expect &&
	section "$man"/git-migration-status.adoc STATES >states &&
	sed -n "s/^\([a-z-]*\):: .*/\1/p" states | sort >actual &&
	test_cmp expect actual
'

test_expect_success 'the tables are as the manual shows them' '
	fresh tables &&
	purchase_orders &&
	git apply-migration --quiet &&
	section "$man"/git-apply-migration.adoc FILES |
		awk "/^CREATE TABLE/ { on = 1 } on { print } /^\)/ { print \";\"; on = 0 }" >create &&
	{ echo "CREATE SCHEMA manual; SET search_path = manual;" && cat create; } | psql_db -f - &&
	for schema in public manual
	do
		db_sql "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable,
				column_default
			FROM information_schema.columns
			WHERE table_schema = '\''$schema'\'' AND table_name LIKE '\''schema\_%'\''
			ORDER BY table_name, ordinal_position;
			SELECT conrelid::regclass::oid::regclass::text ~ '\''log'\'', contype,
				pg_get_constraintdef(oid)
			FROM pg_constraint
			WHERE connamespace = '\''$schema'\''::regnamespace
			AND conrelid::regclass::text ~ '\''schema_'\''
			ORDER BY 1, 2, 3" >$schema || return 1
	done &&
	test_line_count -gt 20 public &&
	test_cmp manual public
'

test_expect_success 'every listing fails into a full disk' '
	fresh full &&
	attachments &&
	git apply-migration --quiet --next=2 &&
	git checkpoint --quiet one && echo new >new &&
	while read -r command
	do
		echo "$command" &&
		$command >listed &&
		test -s listed &&
		test_expect_code 128 $command 2>err >/dev/full &&
		test_grep "[Nn]o space left" err || return 1
	done <<-\END
	git migration-status
	git migration-status --porcelain
	git migration-status -z
	git migration-status --json
	git migration-status HEAD
	git apply-migration --dry-run
	git apply-migration --dry-run --json
	git apply-migration --rehearse
	git apply-migration --rehearse --json
	git rollback-db --last 1 --dry-run
	git rollback-db --last 1 --dry-run --json
	git rollback-db --last 1 --rehearse --yes
	git rollback-db --last 1 --rehearse --json --yes
	git checkpoint list
	git checkpoint list --porcelain
	git checkpoint list -z
	git checkpoint list --json
	git checkpoint list --operations
	git checkpoint list --operations --json
	git checkpoint show one
	git checkpoint show --json one
	git checkpoint restore --dry-run one
	git checkpoint restore --dry-run --json one
	git checkpoint verify
	git checkpoint verify --json
	git checkpoint drop --dry-run one
	git checkpoint prune --dry-run --keep 0 one
	git checkpoint --no-db
	END
'

test_done
