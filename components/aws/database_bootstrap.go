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
func (a DatabaseBootstrapArgs) roleSQL() string {
	sql := fmt.Sprintf(`-- One at a time: tasks start together.
SELECT pg_advisory_lock(hashtext('database-bootstrap'));
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%[1]s') AS missing \gset
\if :missing
CREATE ROLE "%[1]s" LOGIN;
\endif
SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = '%[2]s') AS missing \gset
\if :missing
CREATE DATABASE "%[2]s";
\endif
SELECT pg_get_userbyid(datdba) = CURRENT_USER AS ownerless, pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = '%[2]s' \gset
-- The master user is a member of other roles only inside a transaction: were it left one of a role
-- that logs in with IAM, its own password would no longer be accepted.
BEGIN;
\if :ownerless
GRANT "%[1]s" TO CURRENT_USER;
ALTER DATABASE "%[2]s" OWNER TO "%[1]s";
REVOKE ALL ON DATABASE "%[2]s" FROM PUBLIC;
GRANT CONNECT ON DATABASE "%[2]s" TO CURRENT_USER;
REVOKE "%[1]s" FROM CURRENT_USER;
\else
GRANT :"owner" TO CURRENT_USER;
GRANT CONNECT, TEMPORARY ON DATABASE "%[2]s" TO "%[1]s", CURRENT_USER;
REVOKE :"owner" FROM CURRENT_USER;
\endif
COMMIT;
`, a.Role, a.Name)
	if a.PasswordArn == nil {
		return sql + fmt.Sprintf("GRANT rds_iam TO \"%s\";\n", a.Role)
	}
	// A member of rds_iam could not log in with its password.
	return sql + fmt.Sprintf(`SELECT EXISTS (SELECT FROM pg_auth_members WHERE pg_get_userbyid(roleid) = 'rds_iam' AND pg_get_userbyid(member) = '%[1]s') AS iam \gset
\if :iam
REVOKE rds_iam FROM "%[1]s";
\endif
`, a.Role)
}

// databaseSQL makes the schemas, run in the role's own database.
func (a DatabaseBootstrapArgs) databaseSQL() string {
	if len(a.Schemas) == 0 {
		return "SELECT 1;\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = current_database() \gset
BEGIN;
SELECT pg_advisory_xact_lock(hashtext('database-bootstrap'));
GRANT :"owner" TO CURRENT_USER;
GRANT "%s" TO CURRENT_USER;
`, a.Role)
	path := make([]string, 0, len(a.Schemas)+1)
	for _, s := range a.Schemas {
		fmt.Fprintf(&b, "CREATE SCHEMA IF NOT EXISTS \"%s\" AUTHORIZATION \"%s\";\n", s, a.Role)
		path = append(path, `"`+s+`"`)
	}
	fmt.Fprintf(&b, "ALTER ROLE \"%[1]s\" IN DATABASE \"%[2]s\" SET search_path = %[3]s, public;\nREVOKE \"%[1]s\" FROM CURRENT_USER;\n", a.Role, a.Name, strings.Join(path, ", "))
	fmt.Fprintf(&b, "SELECT :'owner' <> '%s' AS other \\gset\n\\if :other\nREVOKE :\"owner\" FROM CURRENT_USER;\n\\endif\nCOMMIT;\n", a.Role)
	return b.String()
}
