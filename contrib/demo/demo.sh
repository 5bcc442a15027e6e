#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo: a session with git-rollback, on a PostgreSQL server and in a repository that exist only while
# it runs. `make demo` builds and calls it; BUILD says where the programs are (default: build).
#
# Everything is in one folder below /tmp, which is removed in the end, and the server stopped,
# also when the demo is interrupted. Nothing of the caller's settings is used or changed.

set -u
top=$(cd "$(dirname "$0")/../.." && pwd -P) || exit
case ${BUILD:=build} in
/*) ;;
*) BUILD=$top/$BUILD ;;
esac
# shellcheck disable=SC1091
. "$top"/t/pg-cluster.sh

root=
clean_up () {
	code=$?
	trap '' HUP INT TERM
	trap - EXIT
	cd /
	test -z "$root" || pg_root_remove "$root"
	exit "$code"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

die () {
	echo "demo: $*" >&2
	exit 1
}

for name in $(env | sed -n -E 's/^((GIT_|PG)[A-Za-z0-9_]*)=.*/\1/p')
do
	test "$name" = PG_BINDIR || unset "$name"
done
pg_bindir >/dev/null || die "PostgreSQL's server programs were not found; run 'make deps'"

root=$(pg_root_create) || die "cannot make a folder in /tmp"
echo "A throw-away PostgreSQL $("$(pg_bindir)"/postgres --version | sed 's/[^0-9]*//; s/ .*//')" \
	"starts in $root ..."
{
	pg_cluster_create "$root/server" &&
	pg_cluster_start "$root/server"
} || die "PostgreSQL did not start"

HOME=$root/home
GIT_CONFIG_NOSYSTEM=1
GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com
GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com
GIT_PAGER='cat'
PATH=$BUILD/bin:$PATH
DATABASE_URL="postgres:///shop?host=$root/server&port=$PG_PORT&user=$PG_SUPERUSER"
export HOME GIT_CONFIG_NOSYSTEM GIT_PAGER PATH DATABASE_URL
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
unset XDG_CONFIG_HOME

mkdir -p "$HOME" "$root/shop" || die "cannot make a folder in $root"
cd "$root/shop" || exit
"$(pg_bindir)"/createdb -h "$root/server" -p "$PG_PORT" -U "$PG_SUPERUSER" shop ||
	die "cannot create the database"

# ---- Showing -------------------------------------------------------------------------------------

if test -t 1 && test -z "${NO_COLOR:-}"
then
	bold=$(printf '\033[1m') plain=$(printf '\033[m')
else
	bold='' plain=''
fi

tell () {
	printf '\n%s\n' "# $*"
}

# The command as typed, and its output as it is.
run () {
	printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"
	eval "$*" </dev/null 2>&1 || die "'$*' failed with exit code $?"
}

quietly () {
	"$@" >"$root/quiet.log" 2>&1 || {
		cat "$root/quiet.log" >&2
		die "'$*' failed"
	}
}

# ---- The project: a shop's database, as its developers left it -----------------------------------

migration () {	# version_name, up, down
	mkdir -p migrations
	printf 'BEGIN;\n\n%s\n\nCOMMIT;\n' "$2" >"migrations/$1.up.sql"
	printf 'BEGIN;\n\n%s\n\nCOMMIT;\n' "$3" >"migrations/$1.down.sql"
}

quietly git init -q .
quietly git symbolic-ref HEAD refs/heads/main
migration 20260111_001_create_tenants '
CREATE TABLE tenants (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name TEXT NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);' '
DROP TABLE tenants;'

migration 20260112_001_create_purchase_orders "
CREATE TABLE purchase_orders (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    po_number TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'sent', 'received')),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    deleted_at TIMESTAMPTZ,
    UNIQUE (tenant_id, po_number)
);

ALTER TABLE purchase_orders ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_isolation ON purchase_orders
    USING (tenant_id = current_setting('app.tenant_id')::UUID);

CREATE INDEX idx_purchase_orders_tenant ON purchase_orders (tenant_id);" '
DROP INDEX idx_purchase_orders_tenant;
DROP POLICY tenant_isolation ON purchase_orders;
DROP TABLE purchase_orders;'
quietly git add migrations
quietly git commit -q -m 'Add tenants and purchase orders'

quietly git checkout -q -b attachments
migration 20260112_002_add_po_items "
CREATE TABLE po_items (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    purchase_order_id UUID NOT NULL REFERENCES purchase_orders (id) ON DELETE CASCADE,
    description TEXT NOT NULL,
    quantity NUMERIC(12, 3) NOT NULL CHECK (quantity > 0),
    unit_price NUMERIC(14, 2) NOT NULL
);

ALTER TABLE po_items ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_isolation ON po_items
    USING (tenant_id = current_setting('app.tenant_id')::UUID);

CREATE INDEX idx_po_items_order ON po_items (purchase_order_id);

ALTER TABLE purchase_orders ADD COLUMN total NUMERIC(14, 2) NOT NULL DEFAULT 0;" '
ALTER TABLE purchase_orders DROP COLUMN total;
DROP INDEX idx_po_items_order;
DROP POLICY tenant_isolation ON po_items;
DROP TABLE po_items;'
quietly git add migrations
quietly git commit -q -m 'Add the items of a purchase order'

migration 20260112_003_create_po_attachments "
CREATE TABLE po_attachments (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    purchase_order_id UUID NOT NULL REFERENCES purchase_orders (id) ON DELETE CASCADE,
    file_name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

ALTER TABLE po_attachments ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_isolation ON po_attachments
    USING (tenant_id = current_setting('app.tenant_id')::UUID);

CREATE INDEX idx_po_attachments_order ON po_attachments (purchase_order_id);" '
DROP INDEX idx_po_attachments_order;
DROP POLICY tenant_isolation ON po_attachments;
DROP TABLE po_attachments;'
quietly git add migrations
quietly git commit -q -m 'Add the attachments of a purchase order'

# ---- The session ---------------------------------------------------------------------------------

tell "A repository with four migrations, two of them on the branch 'attachments' only."
run git log --oneline --decorate
run ls migrations

tell "Nothing is applied yet."
run git migration-status
run git apply-migration
run git migration-status

tell "What would it take to undo the newest one? This only looks."
run git rollback-db --last 1 --dry-run

tell "Now the hard case: on main, the files of the two newest migrations do not exist."
run git switch main
run ls migrations
run git migration-status

tell "The way back is found in git, run in one transaction, and proven before it is committed."
run git rollback-db --last 1 --yes

tell "And then all that this branch does not have."
run git rollback-db --to-commit HEAD --yes
run git migration-status

tell "The server is stopped, and everything removed."
