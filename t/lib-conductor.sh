# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-conductor: projects whose work is done as Conductor's agents do it, for scripts that have sourced
# test-lib.sh and lib-revert.sh: documents, code commits, and a commit that marks each task.
#
#	project				a repository with two tracks, auth and billing, entered; nothing done
#	work MESSAGE			commits what is there, which a task is about to be marked with
#	done_task TRACK TITLE		marks it, with the last commit's id, and commits the plan
#	done_phase TRACK TITLE		gives the phase a checkpoint: an empty commit, and the plan
#	done_track TRACK		marks it in registry and metadata
#	whole_project			all of it, the code of both as well; tagged whole

add_track () {	# id, title; its phases and tasks on stdin: "= Phase", "- Task"
	mkdir -p "conductor/tracks/$1" &&
	{
		printf '# Plan: %s\n' "$2" && number_=0 || return
		while read -r kind_ title_
		do
			case $kind_ in
			=) number_=$((number_ + 1)) && printf '\n## Phase %s: %s\n' "$number_" "$title_" ;;
			-) printf -- '- [ ] Task: %s\n    - [ ] Test it\n' "$title_" ;;
			esac
		done
	} >"conductor/tracks/$1/plan.md" &&
	printf '# Spec\n' >"conductor/tracks/$1/spec.md" &&
	printf '{\n  "track_id": "%s",\n  "type":"feature",\n  "status": "in_progress",\n  "description": "%s"\n}\n' \
		"$1" "$2" >"conductor/tracks/$1/metadata.json" &&
	printf -- '\n---\n\n- [~] **Track: %s**\n*Link: [./tracks/%s/](./tracks/%s/)*\n' \
		"$2" "$1" "$1" >>conductor/tracks.md &&
	commit "chore(conductor): Add new track '$2'"
}

project () {
	fresh "$@" && mkdir conductor && printf '# Project Tracks\n' >conductor/tracks.md &&
	printf '# Product\n' >conductor/product.md && echo base >README.md && mkdir -p src/models && file src/shared.txt &&
	commit "conductor(setup): Add conductor setup files" &&
	add_track auth_20260101 "Sign people in" <<-\END &&
	= Storage
	- Create the users table
	- Add a user model
	= Interface
	- Add a login form
	END
	add_track billing_20260102 "Send invoices" <<-\END
	= Invoices
	- Number the invoices
	- Print them
	END
}

work () {
	commit "$1" && work_=$(git rev-parse --short=7 HEAD)
}

# The line of a task, and what is below it.
done_task () {	# track, title
	awk -v title="- [ ] Task: $2" -v id="$work_" '
		$0 == title { sub(/\[ \]/, "[x]"); print $0 " " id; inside = 1; next }
		inside && /^    - \[ \]/ { sub(/\[ \]/, "[x]") }
		!/^    / { inside = 0 }
		{ print }' "conductor/tracks/$1/plan.md" >"$TEST_ROOT/plan" &&
	! cmp -s "$TEST_ROOT/plan" "conductor/tracks/$1/plan.md" &&
	cp "$TEST_ROOT/plan" "conductor/tracks/$1/plan.md" &&
	commit "conductor(plan): Mark task '$2' as complete"
}

done_phase () {	# track, title
	commit "conductor(checkpoint): Checkpoint end of Phase $2" &&
	sed -i "s/^\(## Phase [0-9]*: $2\)\$/\1 [checkpoint: $(git rev-parse --short=7 HEAD)]/" \
		"conductor/tracks/$1/plan.md" &&
	commit "conductor(plan): Mark phase '$2' as complete"
}

done_track () {	# track, title
	sed -i "s/^- \[~\] \(\*\*Track: $2\*\*\)/- [x] \1/" conductor/tracks.md &&
	sed -i 's/"status": "in_progress"/"status": "completed"/' \
		"conductor/tracks/$1/metadata.json" &&
	commit "chore(conductor): Mark track '$2' as complete"
}

whole_project () {
	project "$@" &&

	echo "users" >src/table.txt && work "feat(auth): users table" &&
	done_task auth_20260101 "Create the users table" &&
	echo "class User" >src/models/user.txt && file src/shared.txt 5=user && work "feat(auth): user model" &&
	done_task auth_20260101 "Add a user model" &&
	done_phase auth_20260101 Storage &&
	echo 1 >src/invoice.txt && file src/shared.txt 30=invoice && work "feat(billing): number invoices" &&
	done_task billing_20260102 "Number the invoices" &&
	echo form >src/form.txt && work "feat(auth): login form" &&
	done_task auth_20260101 "Add a login form" &&
	done_phase auth_20260101 Interface &&
	done_track auth_20260101 "Sign people in" &&
	echo print >>src/invoice.txt && work "feat(billing): print invoices" &&
	done_task billing_20260102 "Print them" && git tag whole
}
