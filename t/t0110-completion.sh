#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='completion in bash, through git'\''s own'
. ./test-lib.sh

git_completion=
for file in /usr/share/bash-completion/completions/git \
	/usr/local/share/bash-completion/completions/git \
	/usr/share/git-core/contrib/completion/git-completion.bash
do
	test ! -f "$file" || git_completion=$file
done
completion=$TEST_TOP/contrib/completion

if test -z "$git_completion" || ! bash -c ". '$git_completion'" 2>/dev/null
then
	skip_all="git's own completion for bash is not installed"
	test_done
fi
. "$TEST_DIRECTORY"/lib-pg.sh

# What bash would offer behind `git <word>...`, the last word being typed; one a line, sorted, with a
# '$' where a blank follows. Nothing of ours is loaded but what git's completion asks for.
cat >"$TEST_ROOT/offer.bash" <<'END'
_completion_loader () {
	[ ! -f "$completion/$1.bash" ] || . "$completion/$1.bash"
}
. "$git_completion"
COMP_WORDS=(git "$@")
COMP_CWORD=$#
COMP_LINE="git $*" COMP_POINT=${#COMP_LINE}
__git_wrap__git_main
[ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sed 's/ $/$/' | sort
END
export git_completion completion

offer () {
	bash "$TEST_ROOT/offer.bash" "$@"
}

test_expect_success 'there is a file for each command, and bash takes it' '
	for program in "$BUILD"/bin/git-*
	do
		name=${program##*/} &&
		test_path_is_file "$completion/$name.bash" &&
		bash -c ". \"$completion/$name.bash\" && declare -F _${name%%-*}_$(
			printf "%s\n" "${name#git-}" | tr - _)" || return 1
	done
'

test_expect_success 'make install puts them where bash-completion looks' '
	mkdir "$TEST_ROOT/build" &&
	ln -s "$BUILD/bin" "$TEST_ROOT/build/bin" &&
	make --no-print-directory -C "$TEST_TOP" BUILD="$TEST_ROOT/build" \
		prefix="$TRASH_DIRECTORY/usr" man install-files &&
	for file in "$completion"/*
	do
		test_cmp "$file" "usr/share/bash-completion/completions/${file##*/}" || return 1
	done &&
	completion="$TRASH_DIRECTORY/usr/share/bash-completion/completions" \
		offer rollback-db --accept >actual &&
	echo "--accept-difference\$" >expect &&
	test_cmp expect actual
'

# But for the negative ones, which git offers once --no- is typed.
for command in apply-migration migration-status rollback-db checkpoint snapshot-db
do
	test_expect_success "$command: all long options of -h are offered" '
		git $command -h >usage &&
		sed -n -e "s/^    \(-.*\)/\1/p" usage | sed -e "s/   *.*//" -e "s/, /\n/g" |
			sed -n -e "s/^--\[no-\]/--/" -e "s/\[=.*//" -e "s/ <.*/=/" -e "/^--/p" |
			sed -e "s/[^=]\$/&\\$/" >options &&
		{ cat options && echo "--no-...\$"; } | sort >expect &&
		offer $command -- >actual &&
		test_cmp expect actual &&
		offer $command --no-ver >actual &&
		echo "--no-verbose\$" >expect &&
		test_cmp expect actual
	'
done

test_expect_success 'rollback: the subcommand, and its options' '
	offer rollback "" >actual &&
	echo "trust\$" >expect &&
	test_cmp expect actual &&
	offer rollback trust --re >actual &&
	echo "--revoke\$" >expect &&
	test_cmp expect actual
'

test_expect_success 'checkpoint: verbs, names and operations' '
	offer checkpoint "" >actual &&
	test_write_lines create\$ diff\$ drop\$ export\$ list\$ prune\$ restore\$ show\$ undo\$ \
		verify\$ >verbs &&
	comm -23 verbs actual >missing &&
	test_must_be_empty missing &&
	git init -q checkpoints && cd checkpoints && : >file &&
	git checkpoint -q --no-db stage-1-start && git checkpoint -q --no-db other &&
	offer checkpoint restore st >actual &&
	echo "stage-1-start\$" >expect &&
	test_cmp expect actual &&
	offer checkpoint restore --strategy=f >actual &&
	echo "files\$" >expect &&
	test_cmp expect actual &&
	offer checkpoint prune --older >actual &&
	echo "--older-than=" >expect &&
	test_cmp expect actual &&
	offer checkpoint undo 20 >actual &&
	test_line_count = 2 actual
'

test_expect_success 'snapshot-db: verbs and labels' '
	git snapshot-db -q before-it && git snapshot-db -q other &&
	offer snapshot-db "" >actual &&
	test_write_lines create\$ diff\$ list\$ prune\$ show\$ verify\$ >verbs &&
	comm -23 verbs actual >missing &&
	test_must_be_empty missing &&
	offer snapshot-db show be >actual &&
	echo "before-it\$" >expect &&
	test_cmp expect actual &&
	offer snapshot-db diff before-it --li >actual &&
	echo "--live\$" >expect &&
	test_cmp expect actual &&
	offer snapshot-db new >actual &&
	test_must_be_empty actual
'

test_expect_success 'versions: pending ones to apply, applied ones to roll back' '
	migration 1_one "CREATE TABLE one ();" "DROP TABLE one;" &&
	migration 2_two "CREATE TABLE two ();" "DROP TABLE two;" &&
	migration 10_ten "CREATE TABLE ten ();" "DROP TABLE ten;" &&
	git apply-migration --quiet --next &&
	test_write_lines "10\$" "2\$" >expect &&
	offer apply-migration "" >actual &&
	test_cmp expect actual &&
	offer apply-migration --to "" >actual &&
	test_cmp expect actual &&
	offer apply-migration --to= >actual &&
	test_cmp expect actual &&
	offer apply-migration --baseline=1 >actual &&
	echo "10\$" >expect &&
	test_cmp expect actual &&
	echo "1\$" >expect &&
	offer rollback-db "" >actual &&
	test_cmp expect actual &&
	offer rollback-db --to= >actual &&
	test_cmp expect actual &&
	offer rollback-db --verbose --to "" >actual &&
	test_cmp expect actual
'

test_expect_success 'an interrupted migration can be rolled back' '
	migration 20_broken "-- rollback: no-transaction
	SELECT 1; SELECT 1/0;" "SELECT 1;" &&
	test_when_finished "rm migrations/20_* && git rollback-db 20 --yes --quiet" &&
	test_expect_code 128 git apply-migration &&
	test_write_lines "1\$" "10\$" "2\$" "20\$" >expect &&
	offer rollback-db "" >actual &&
	test_cmp expect actual &&
	offer apply-migration "" >actual &&
	test_must_be_empty actual
'

test_expect_success 'versions are those of the database that is named' '
	db_create "${db_name}_other" &&
	git config rollback.database.main.url "$DATABASE_URL" &&
	git config rollback.database.other.url "$(db_url "${db_name}_other")" &&
	test_when_finished "git config --remove-section rollback.database.main &&
		git config --remove-section rollback.database.other" &&
	git apply-migration --quiet --database=other --to 1 &&
	test_write_lines "1\$" >expect &&
	offer rollback-db --database=other "" >actual &&
	test_cmp expect actual &&
	offer rollback-db --database other --to "" >actual &&
	test_cmp expect actual
'

test_expect_success 'databases: from git and from .gitrollback' '
	git config rollback.database.staging.url service=staging &&
	test_when_finished "git config --remove-section rollback.database.staging; rm .gitrollback" &&
	cat >.gitrollback <<-\END &&
	[migrations]
	lock_timeout = 5s
	[database "production"]
	url = env:DATABASE_URL
	END
	test_write_lines "production\$" "staging\$" >expect &&
	offer rollback-db --database= >actual &&
	test_cmp expect actual &&
	offer rollback-db --confirm "" >actual &&
	test_cmp expect actual &&
	mkdir -p sub &&
	(cd sub && offer migration-status --database p) >actual &&
	echo "production\$" >expect &&
	test_cmp expect actual
'

test_expect_success 'revisions' '
	test_commit base &&
	git branch side &&
	offer rollback-db --to-commit si >actual &&
	echo "side\$" >expect &&
	test_cmp expect actual &&
	offer rollback-db --to-commit=si >actual &&
	test_cmp expect actual &&
	offer migration-status main..si >actual &&
	test_grep "side" actual
'

test_expect_success 'without a database nothing is offered, and nothing is said' '
	DATABASE_URL="postgres:///nosuch?host=$TEST_ROOT" offer rollback-db "" >actual 2>err &&
	test_must_be_empty actual &&
	test_must_be_empty err
'

test_done
