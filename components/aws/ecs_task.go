package aws

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Container is one container of a task.
type Container struct {
	// Name: lower case letters, digits, hyphens; unique in the task.
	Name string
	// Image with a tag other than latest, or a digest; required.
	Image pulumi.StringInput
	// EntryPoint and Command override the image's.
	EntryPoint, Command []string
	// User is uid:gid in numbers. Required and not root, except where RootReason says why.
	User       string
	RootReason string
	// WritableRootReason says why the root file system cannot be read-only; empty keeps it read-only.
	WritableRootReason string
	// Scratch are directories that the container may write to, gone with the task. They are made
	// writable for every user before the container starts.
	Scratch []string
	// Ports it listens on, TCP, each once in the task.
	Ports []int
	// Environment holds nothing secret; Secrets by variable are fetched from Secrets Manager when
	// the task starts.
	Environment map[string]pulumi.StringInput
	Secrets     map[string]SecretRef
	// Mounts of the service's EFS volumes.
	Mounts []Mount
	// Health is the container's own check; nil for none.
	Health *ContainerHealth
	// Init makes it run to success before the containers that are not Init start.
	Init bool
	// Optional lets the task go on when this container stops. Default: the task stops with it.
	Optional bool
	// After lists containers that must be healthy (those with Health) or started before this one.
	After []string
	// CPUUnits and MemoryMiB it is limited to; 0 shares the task's.
	CPUUnits, MemoryMiB int
	// StopSeconds between SIGTERM and SIGKILL, 2 to 120; default 30.
	StopSeconds int
}

// SecretRef is a secret, or one key of a secret that is a JSON object.
type SecretRef struct {
	Arn pulumi.StringInput
	// JSONKey picks one key; empty takes the whole value.
	JSONKey string
}

// Mount puts a volume of the service into a container.
type Mount struct {
	Volume, Path string
	ReadOnly     bool
}

// ContainerHealth is a container's own health check.
type ContainerHealth struct {
	// Command such as ["CMD-SHELL", "curl -fsS http://localhost:3000/"].
	Command []string
	// IntervalSeconds 5 to 300, default 30; TimeoutSeconds 2 to 60, default 5; Retries 1 to 10,
	// default 3; StartSeconds 0 to 300 before failures count.
	IntervalSeconds, TimeoutSeconds, Retries, StartSeconds int
}

// EfsVolume is an EFS file system in a task: through an access point, TLS and IAM, always.
type EfsVolume struct {
	// Name that mounts refer to.
	Name string
	// FileSystemID, FileSystemArn, AccessPointID and AccessPointArn; EfsRepoStore.Volume gives them.
	FileSystemID, FileSystemArn, AccessPointID, AccessPointArn pulumi.StringInput
	// ReadOnly leaves writing out of the task's role.
	ReadOnly bool
	// mounts must resolve before the first task starts.
	mounts []pulumi.Resource
}
