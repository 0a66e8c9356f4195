package aws

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// EcsClusterType is the type token of EcsCluster.
const EcsClusterType = "morphee:aws:EcsCluster"

// EcsClusterArgs are the decisions about a cluster.
type EcsClusterArgs struct {
	// VpcID of the private namespace; required with Namespace.
	VpcID pulumi.StringInput
	// Namespace is the private DNS name that services find each other under, such as
	// "morphee.internal"; empty for none. Changing it replaces the namespace.
	Namespace string
	// ExecLogs keeps what is typed through ECS Exec in an encrypted log group. Default false; needed
	// when a service allows ECS Exec.
	ExecLogs bool
	// LogRetentionDays of that log group as CloudWatch allows them; default 90.
	LogRetentionDays int
	// LogKmsKeyArn encrypts it; required with ExecLogs.
	LogKmsKeyArn pulumi.StringInput
	Tags         base.Tags
}

// EcsCluster is a Fargate cluster with container insights and, by choice, service discovery.
type EcsCluster struct {
	pulumi.ResourceState
	Arn, Name pulumi.StringOutput
	// Namespace is its DNS name, empty for none; NamespaceID its id.
	Namespace   string
	NamespaceID pulumi.StringOutput
	execLogs    bool
	execKeyArn  pulumi.StringInput
	execLogArn  pulumi.StringOutput
	providers   pulumi.Resource
}
