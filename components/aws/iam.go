package aws

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Statement is one statement of a policy document.
type Statement struct {
	// Sid: letters and digits; required.
	Sid string
	// Deny instead of Allow.
	Deny bool
	// Actions, such as "s3:GetObject"; at least one.
	Actions []string
	// Resources are ARNs. A bare "*" needs a Reason. Must be empty in a trust policy.
	Resources []pulumi.StringInput
	// Services, Principals (ARNs) and Federated say who, in key, bucket and trust policies.
	Services   []string
	Principals []pulumi.StringInput
	Federated  []pulumi.StringInput
	// Conditions: operator -> key -> values.
	Conditions map[string]map[string][]pulumi.StringInput
	// Reason why the resource is a wildcard, in a few words; it is written into the statement's id
	// ("…Because…"), where reviewers and policy checks find it.
	Reason string
}
