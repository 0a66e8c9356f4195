package aws

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// SecretsType is the type token of Secrets.
const SecretsType = "morphee:aws:Secrets"

// SecretSpec is one secret.
type SecretSpec struct {
	// Description for people; required, without the value.
	Description string
	// Value is kept a Pulumi secret to the end. Nil makes a secret without a version, to be filled
	// by a task (a container that refers to it does not start before that).
	Value pulumi.StringInput
}

// SecretsArgs are the decisions about a set of Secrets Manager secrets.
type SecretsArgs struct {
	// Secrets by a short stable name (lower case letters, digits, hyphens); at least one. Adding one
	// touches no other; renaming one makes a new secret.
	Secrets map[string]SecretSpec
	// KmsKeyArn is the customer key that encrypts them; required.
	KmsKeyArn pulumi.StringInput
	// RecoveryDays a deleted secret can be restored, 7 to 30; default 30. Disposable stacks use 0,
	// so that the next one with the same name is not refused.
	RecoveryDays int
	// Disposable leaves the secrets unprotected and deletes them at once; throw-away stacks only.
	Disposable bool
	Tags       base.Tags
}

// Secrets are Secrets Manager secrets encrypted with a customer key.
type Secrets struct {
	pulumi.ResourceState
	// Arns by the secret's short name. Known only once the value is stored, so that whatever refers
	// to one starts after it.
	Arns map[string]pulumi.StringOutput
}
