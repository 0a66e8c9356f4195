package aws

import (
	_ "embed" // the script
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

//go:embed files/database-bootstrap.sh
var bootstrapScript string

// DatabaseBootstrapArgs describe one role and its database.
type DatabaseBootstrapArgs struct {
	// Database the role lives in; required.
	Database *AuroraOrRds
	// Image with psql (version 15 or later) and a shell; required, such as the postgres image.
	Image pulumi.StringInput
	// Name of the database, and Role that logs in; lower case letters, digits, underscores. The first
	// role of a database owns it; further ones may connect to it, and own their Schemas.
	Name, Role string
	// PasswordArn is the secret with the role's password; nil makes a role that only IAM lets in.
	PasswordArn pulumi.StringInput
	// PasswordJSONKey of that secret; empty takes the whole value.
	PasswordJSONKey string
	// PasswordKmsKeyArn is that secret's key.
	PasswordKmsKeyArn pulumi.StringInput
	// Schemas made in the database, owned by the role, in front of its search path.
	Schemas []string
}

func (a DatabaseBootstrapArgs) validate() error {
	p := base.Check("DatabaseBootstrap", a.Name)
	p.Require(a.Database != nil, "Database", "nothing", "the database", "")
	p.Require(a.Image != nil, "Image", "nothing", "an image with psql", "")
	p.Require(sqlName.MatchString(a.Name), "Name", a.Name, "lower case letters, digits and underscores", "")
	p.Require(sqlName.MatchString(a.Role) && !strings.HasPrefix(a.Role, "rds"), "Role", a.Role, "lower case letters, digits and underscores, not beginning with rds", "")
	p.Require(a.Database == nil || a.Role != a.Database.MasterUsername, "Role", a.Role, "a role other than the master user", "")
	p.Require(len(a.Role) <= 56, "Role", a.Role, "at most 56 letters: another role's name is made of it", "")
	p.Require(a.Role != "postgres", "Role", a.Role, "a role other than postgres, which sign-in's tables are granted to", "")
	for i, s := range a.Schemas {
		p.Require(sqlName.MatchString(s) && !strings.HasPrefix(s, "pg_") && !slices.Contains(a.Schemas[:i], s), "Schemas", s, "lower case letters, digits and underscores, not beginning with pg_, each once", "")
	}
	return p.Err()
}

// DatabaseBootstrap is an init container that makes a role and its database before the service's
// containers start. It is run again at every start, and changes nothing then but a password that was
// changed. Only the task's execution role sees the master password; the service does not.
func DatabaseBootstrap(args DatabaseBootstrapArgs) (Container, error) {
	if err := args.validate(); err != nil {
		return Container{}, err
	}
	db := args.Database
	master := func(key string) SecretRef {
		return SecretRef{Arn: db.MasterSecretArn, JSONKey: key, KmsKeyArn: db.MasterSecretKmsKeyArn}
	}
	c := Container{
		Name: "database-" + strings.ReplaceAll(args.Role, "_", "-"), Image: args.Image, Init: true,
		User: "65534:65534", EntryPoint: []string{"sh", "-c"}, Command: []string{bootstrapScript},
		Environment: map[string]pulumi.StringInput{
			"PGHOST": db.Host, "PGPORT": pulumi.Sprintf("%d", db.Port), "PGDATABASE": pulumi.String(db.DatabaseName), "PGSSLMODE": pulumi.String("require"),
			"PGCONNECT_TIMEOUT": pulumi.String("10"),
			"ROLE_NAME":         pulumi.String(args.Role), "DATABASE_NAME": pulumi.String(args.Name),
			"ROLE_SQL": pulumi.String(args.roleSQL()), "DATABASE_SQL": pulumi.String(args.databaseSQL()),
		},
		Secrets: map[string]SecretRef{"PGUSER": master("username"), "PGPASSWORD": master("password")},
	}
	if args.PasswordArn != nil {
		c.Secrets["ROLE_PASSWORD"] = SecretRef{Arn: args.PasswordArn, JSONKey: args.PasswordJSONKey, KmsKeyArn: args.PasswordKmsKeyArn}
	}
	return c, nil
}

// roleSQL makes the role and the database, run in the database that always exists. The names were
// checked: they need no escaping.
//
// The master user, who makes the daily export, is a member of every role that signs in with a password:
// rows that a table's owner protects (row level security) are dumped by its owner's members alone. Of a
// role that signs in with IAM it is a member inside transactions only: were it left one, however
// indirectly, its own password would no longer be accepted. So such a role has another beside it,
// ROLE_tables, that nobody signs in as and both are members of, for its tables with such rows.
func (a DatabaseBootstrapArgs) roleSQL() string {
	before, after := `SELECT EXISTS (SELECT FROM pg_auth_members WHERE pg_get_userbyid(roleid) = 'rds_iam' AND pg_get_userbyid(member) = '%[1]s') AS iam,
  NOT pg_has_role(CURRENT_USER, '%[1]s', 'MEMBER') AS outside \gset
BEGIN;
\if :iam
REVOKE rds_iam FROM "%[1]s";
\endif
\if :outside
GRANT "%[1]s" TO CURRENT_USER;
\endif
`+masterStaysOut+`COMMIT;
`, ""
	if a.PasswordArn == nil {
		before, after = `SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%[1]s_tables') AS missing \gset
\if :missing
BEGIN;
CREATE ROLE "%[1]s_tables" NOLOGIN;
GRANT "%[1]s_tables" TO "%[1]s", CURRENT_USER;
COMMIT;
\endif
`, `SELECT EXISTS (SELECT FROM pg_auth_members WHERE pg_get_userbyid(roleid) = '%[1]s' AND member = CURRENT_USER::regrole) AS inside \gset
BEGIN;
\if :inside
REVOKE "%[1]s" FROM CURRENT_USER;
\endif
GRANT rds_iam TO "%[1]s";
`+masterStaysOut+`COMMIT;
`
	}
	return fmt.Sprintf(`-- One at a time: tasks start together.
SELECT pg_advisory_lock(hashtext('database-bootstrap'));
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%[1]s') AS missing, NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'postgres') AS nobody \gset
\if :missing
CREATE ROLE "%[1]s" LOGIN;
\endif
-- Sign-in's migrations grant to the administrator that other servers have. Nobody is it here.
\if :nobody
CREATE ROLE postgres NOLOGIN;
\endif
SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = '%[2]s') AS missing \gset
\if :missing
CREATE DATABASE "%[2]s";
\endif
`+before+`SELECT pg_get_userbyid(datdba) = CURRENT_USER AS ownerless, pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = '%[2]s' \gset
\if :ownerless
\set owner %[1]s
\endif
SELECT NOT pg_has_role(CURRENT_USER, :'owner', 'MEMBER') AS outside \gset
BEGIN;
\if :outside
GRANT :"owner" TO CURRENT_USER;
\endif
\if :ownerless
ALTER DATABASE "%[2]s" OWNER TO "%[1]s";
REVOKE ALL ON DATABASE "%[2]s" FROM PUBLIC;
GRANT CONNECT ON DATABASE "%[2]s" TO CURRENT_USER;
\else
GRANT CONNECT, TEMPORARY ON DATABASE "%[2]s" TO "%[1]s", CURRENT_USER;
\endif
\if :outside
REVOKE :"owner" FROM CURRENT_USER;
\endif
COMMIT;
`+after, a.Role, a.Name)
}

// masterStaysOut takes a transaction back that would lock the master user out.
const masterStaysOut = `DO $$ BEGIN
  IF pg_has_role(CURRENT_USER, '%[1]s', 'MEMBER') AND pg_has_role('%[1]s', 'rds_iam', 'MEMBER') THEN
    RAISE EXCEPTION 'the master user would be a member of rds_iam by way of %[1]s, and its password no longer accepted: no role with a password may be a member of one without; revoke that membership';
  END IF;
END $$;
`

// databaseSQL makes the schemas, run in the role's own database.
func (a DatabaseBootstrapArgs) databaseSQL() string {
	var schemas strings.Builder
	path := make([]string, 0, len(a.Schemas)+1)
	for _, s := range a.Schemas {
		fmt.Fprintf(&schemas, "CREATE SCHEMA IF NOT EXISTS \"%s\" AUTHORIZATION \"%s\";\n", s, a.Role)
		path = append(path, `"`+s+`"`)
	}
	if len(path) > 0 {
		fmt.Fprintf(&schemas, "ALTER ROLE \"%s\" IN DATABASE \"%s\" SET search_path = %s, public;\n", a.Role, a.Name, strings.Join(path, ", "))
	}
	if a.PasswordArn == nil {
		fmt.Fprintf(&schemas, shareProtected, a.Role)
	}
	if schemas.Len() == 0 {
		return "SELECT 1;\n"
	}
	// Left again are only roles that were joined here.
	return fmt.Sprintf(`SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = current_database() \gset
BEGIN;
SELECT pg_advisory_xact_lock(hashtext('database-bootstrap'));
SELECT NOT pg_has_role(CURRENT_USER, '%[1]s', 'MEMBER') AS outside_role,
  :'owner' <> '%[1]s' AND NOT pg_has_role(CURRENT_USER, :'owner', 'MEMBER') AS outside_owner \gset
\if :outside_owner
GRANT :"owner" TO CURRENT_USER;
\endif
\if :outside_role
GRANT "%[1]s" TO CURRENT_USER;
\endif
%[2]s\if :outside_role
REVOKE "%[1]s" FROM CURRENT_USER;
\endif
\if :outside_owner
REVOKE :"owner" FROM CURRENT_USER;
\endif
COMMIT;
`, a.Role, schemas.String())
}

// shareProtected gives a role's tables with row level security to ROLE_tables. FORCE keeps them from its
// owners too: the export says so. One that is in use for long is left to the next start.
const shareProtected = `SET LOCAL lock_timeout = '5s';
DO $$ DECLARE t record; BEGIN
  FOR t IN SELECT oid::regclass AS name, relnamespace::regnamespace AS place FROM pg_class
    WHERE relkind IN ('r', 'p') AND relrowsecurity AND NOT relforcerowsecurity AND relowner = '"%[1]s"'::regrole LOOP
    BEGIN
      EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %%s TO "%[1]s_tables"', t.place);
      EXECUTE format('ALTER TABLE %%s OWNER TO "%[1]s_tables"', t.name);
    EXCEPTION WHEN lock_not_available THEN
      RAISE WARNING 'the table %% is in use: it goes to "%[1]s_tables" at the next start', t.name;
    END;
  END LOOP;
END $$;
`
