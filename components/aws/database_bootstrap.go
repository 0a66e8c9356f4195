package aws

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// DatabaseBootstrapArgs describe one role and its database.
type DatabaseBootstrapArgs struct {
	// Database the role lives in; required.
	Database *AuroraOrRds
	// Image with psql and a shell; required, such as the postgres image.
	Image pulumi.StringInput
	// Name of the database, and Role that owns it; lower case letters, digits, underscores.
	Name, Role string
	// PasswordArn is the secret with the role's password; nil makes a role that only IAM lets in.
	PasswordArn pulumi.StringInput
	// PasswordJSONKey of that secret; empty takes the whole value.
	PasswordJSONKey string
	// Schemas made in the database, owned by the role; the first leads its search path.
	Schemas []string
}
