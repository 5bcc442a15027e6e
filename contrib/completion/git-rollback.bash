# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# bash completion for the commands of git-rollback, as a part of git's own.
#
# git's completion calls _git_NAME for `git NAME`, and asks bash-completion to load `git-NAME` where it
# does not know it. So `make install` puts a file for each command where bash-completion looks, and
# nothing is left to do. Without bash-completion, source this file behind git's:
#
#	. /usr/share/bash-completion/completions/git
#	. /usr/local/share/bash-completion/completions/git-rollback.bash
#
# Options come from the commands themselves. Versions come from `git migration-status`, which asks the
# database; names of databases come from the settings.
#
# cur, prev, words and cword are set by git's completion.
# shellcheck disable=SC2154

# What git migration-status --porcelain has, of the database that is named on the command line.
__git_rollback_migrations ()
{
	local i database=()

	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		--database=*) database=("${words[i]}") ;;
		--database) database=("--database=${words[i + 1]}") ;;
		esac
	done
	PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-2} \
		__git migration-status --porcelain --quiet "${database[@]}" 2>/dev/null
}

__git_rollback_pending ()
{
	__git_rollback_migrations | awk -F '\t' '$4 == "" && $1 != "interrupted" { print $2 }'
}

# An interrupted one may be rolled back, whether it is applied yet or not.
__git_rollback_applied ()
{
	__git_rollback_migrations | awk -F '\t' '$4 != "" || $1 == "interrupted" { print $2 }'
}

__git_rollback_databases ()
{
	local top

	__git config --name-only --get-regexp '^rollback\.database\..*\.url$' 2>/dev/null |
		sed -e 's/^rollback\.database\.//' -e 's/\.url$//'
	top=$(__git rev-parse --show-toplevel 2>/dev/null) &&
		sed -n 's/^[[:blank:]]*\[[Dd][Aa][Tt][Aa][Bb][Aa][Ss][Ee] "\(.*\)"\].*/\1/p' \
			"$top/.gitrollback" 2>/dev/null
}

# The value of an option: `--x=<v>` with all of it in cur, or what follows `--x`. Fails when it is
# neither. The functions are called only where they are needed.
__git_rollback_value ()	# option, function that lists
{
	case $cur in
	"$1="*)
		__gitcomp_nl "$("$2")" '' "${cur#"$1="}"
		return 0
		;;
	esac
	case $prev in
	"$1")
		__gitcomp_nl "$("$2")"
		return 0
		;;
	esac
	return 1
}

__git_rollback_number ()
{
	printf '%s\n' 1 2 3
}

__git_rollback_when ()
{
	printf '%s\n' always never auto
}

# What the commands have in common.
__git_rollback_common ()
{
	case $cur in
	--color=*)
		__git_rollback_value --color __git_rollback_when
		return 0
		;;
	esac
	__git_rollback_value --database __git_rollback_databases ||
		__git_rollback_value --confirm __git_rollback_databases
}

_git_apply_migration ()
{
	__git_rollback_common && return
	__git_rollback_value --to __git_rollback_pending && return
	__git_rollback_value --baseline __git_rollback_pending && return
	case $cur in
	--next=*) __git_rollback_value --next __git_rollback_number ;;
	--*) __gitcomp_builtin apply-migration ;;
	*/*) ;; # the path of an up script: bash's own completion of files
	*) __gitcomp_nl "$(__git_rollback_pending)" ;;
	esac
}

_git_migration_status ()
{
	__git_rollback_common && return
	case $cur in
	--*) __gitcomp_builtin migration-status ;;
	*) __git_complete_revlist ;;
	esac
}

_git_rollback_db ()
{
	__git_rollback_common && return
	__git_rollback_value --to __git_rollback_applied && return
	__git_rollback_value --last __git_rollback_number && return
	__git_rollback_value --forward-fix __git_rollback_applied && return
	__git_rollback_value --expect __git_snapshot_db_labels && return
	case $prev,$cur in
	--script,* | --plan,* | --plan-out,*) ;; # bash's own completion of files
	--to-commit,* | *,--to-commit=*) __git_complete_refs --cur="${cur#--to-commit=}" ;;
	*,--*) __gitcomp_builtin rollback-db ;;
	*) __gitcomp_nl "$(__git_rollback_applied)" ;;
	esac
}

__git_checkpoint_names ()
{
	__git for-each-ref --format='%(refname:lstrip=2)' refs/checkpoints
}

__git_checkpoint_operations ()
{
	__git checkpoint list --operations --porcelain 2>/dev/null | cut -f 1
}

# The verb, where one is there: it comes first.
__git_checkpoint_verb ()
{
	local i

	for ((i = 1; i < cword; i++)); do
		if [[ ${words[i]} == checkpoint ]]; then
			case ${words[i + 1]} in
			create | list | show | diff | restore | undo | verify | drop | prune | export)
				((i + 1 < cword)) && printf '%s\n' "${words[i + 1]}"
				;;
			esac
			return
		fi
	done
}

_git_checkpoint ()
{
	local verb

	verb=$(__git_checkpoint_verb)
	__git_rollback_common && return
	case $prev,$cur in
	--branch,* | *,--branch=*)
		__git_complete_refs --cur="${cur#--branch=}" --mode=heads
		return
		;;
	*,--strategy=*)
		__gitcomp 'reset revert files' '' "${cur#--strategy=}"
		return
		;;
	*,--*)
		__gitcomp_builtin "checkpoint${verb:+_$verb}"
		return
		;;
	esac
	case $verb in
	'') [[ $prev != checkpoint ]] || __gitcomp_builtin checkpoint ;;
	show | diff | restore | verify | drop) __gitcomp_nl "$(__git_checkpoint_names)" ;;
	export) [[ $prev != export ]] || __gitcomp_nl "$(__git_checkpoint_names)" ;;
	undo) __gitcomp_nl "$(__git_checkpoint_operations)" ;;
	esac
}

__git_snapshot_db_labels ()
{
	__git snapshot-db list --porcelain 2>/dev/null | cut -f 1
}

# The verb, where one is there: it comes first.
__git_snapshot_db_verb ()
{
	local i

	for ((i = 1; i < cword; i++)); do
		if [[ ${words[i]} == snapshot-db ]]; then
			case ${words[i + 1]} in
			create | list | show | diff | verify | prune)
				((i + 1 < cword)) && printf '%s\n' "${words[i + 1]}"
				;;
			esac
			return
		fi
	done
}

_git_snapshot_db ()
{
	local verb

	verb=$(__git_snapshot_db_verb)
	__git_rollback_common && return
	__git_rollback_value --keep __git_rollback_number && return
	case $cur in
	--*)
		__gitcomp_builtin "snapshot-db${verb:+_$verb}"
		return
		;;
	esac
	case $verb in
	'') [[ $prev != snapshot-db ]] || __gitcomp_builtin snapshot-db ;;
	show | diff | verify) __gitcomp_nl "$(__git_snapshot_db_labels)" ;;
	esac
}

__git_revert_track_ids ()	# track or story
{
	__git revert-track --list --all --porcelain --quiet 2>/dev/null |
		awk -F '\t' -v kind="$1" '$1 == kind { print $2 }'
}

__git_revert_track_stories ()
{
	__git_revert_track_ids story
}

_git_revert_track ()
{
	__git_rollback_common && return
	__git_rollback_value --story __git_revert_track_stories && return
	case $prev,$cur in
	*,--min-evidence=*) __gitcomp 'certain likely' '' "${cur#--min-evidence=}" ;;
	*,--strategy=*) __gitcomp 'revert reset' '' "${cur#--strategy=}" ;;
	--also,* | --except,*) __git_complete_refs ;;
	*,--*) __gitcomp_builtin revert-track ;;
	*) __gitcomp_nl "$(__git_revert_track_ids track)" ;;
	esac
}

_git_rollback ()
{
	if [[ -z $(__git_find_on_cmdline trust) ]]; then
		__gitcomp_builtin rollback
		return
	fi
	case $cur in
	--color=*) __git_rollback_value --color __git_rollback_when ;;
	--*) __gitcomp_builtin rollback_trust ;;
	esac
}
