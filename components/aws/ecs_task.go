package aws

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

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
	// writable for every user by an init container of the same image, which must have chmod.
	Scratch []string
	// Ports it listens on, TCP, each once in the task.
	Ports []int
	// Environment holds nothing secret; Secrets by variable are fetched from Secrets Manager when
	// the task starts.
	Environment map[string]pulumi.StringInput
	Secrets     map[string]SecretRef
	// Mounts of the service's EFS volumes, and of SharedScratch.
	Mounts []Mount
	// Health is the container's own check; nil for none.
	Health *ContainerHealth
	// Init makes it run to success before the containers that are not Init start, one after another.
	Init bool
	// Optional lets the task go on when this container stops. Default: the task stops with it.
	Optional bool
	// After lists containers that must be healthy (those with Health) or started before this one.
	After []string
	// CPUUnits and MemoryMiB it is limited to; 0 shares the task's.
	CPUUnits, MemoryMiB int
	// StopSeconds between SIGTERM and SIGKILL, 1 to 120; default 30.
	StopSeconds int
}

// SecretRef is a secret, or one key of a secret that is a JSON object.
type SecretRef struct {
	Arn pulumi.StringInput
	// JSONKey picks one key; empty takes the whole value.
	JSONKey string
	// KmsKeyArn is the key the secret is encrypted with, when that is none of the service's
	// SecretKmsKeyArns.
	KmsKeyArn pulumi.StringInput
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
// EfsRepoStore.Volume makes one.
type EfsVolume struct {
	// Name that mounts refer to.
	Name                                                       string
	FileSystemID, FileSystemArn, AccessPointID, AccessPointArn pulumi.StringInput
	// ReadOnly leaves writing out of the task's role.
	ReadOnly bool
	// Ready must exist before the first task: mount targets, and what they need.
	Ready []pulumi.Resource
}

// withScratch puts, before each container with scratch directories, an init container that makes
// them writable: Fargate mounts them owned by root, and the container is not root.
func withScratch(containers []Container) []Container {
	var out []Container
	for _, c := range containers {
		if len(c.Scratch) > 0 {
			prepare := Container{
				Name: c.Name + "-scratch", Image: c.Image, EntryPoint: []string{"chmod"}, Command: append([]string{"1777"}, c.Scratch...),
				User: "0:0", RootReason: "owns the fresh directories that it opens to the container's user", Init: true,
			}
			for i, path := range c.Scratch {
				prepare.Mounts = append(prepare.Mounts, Mount{Volume: scratchVolume(c.Name, i), Path: path})
			}
			c.Mounts = append(slices.Clone(c.Mounts), prepare.Mounts...)
			out = append(out, prepare)
		}
		out = append(out, c)
	}
	return out
}

func scratchVolume(container string, i int) string {
	return fmt.Sprintf("%s-scratch-%d", container, i)
}

// taskVolumes are the task definition's volumes: EFS, then what lives and dies with the task.
func taskVolumes(args *EcsServiceArgs) ecs.TaskDefinitionVolumeArray {
	out := ecs.TaskDefinitionVolumeArray{}
	for _, v := range args.Volumes {
		out = append(out, &ecs.TaskDefinitionVolumeArgs{
			Name: pulumi.String(v.Name),
			EfsVolumeConfiguration: &ecs.TaskDefinitionVolumeEfsVolumeConfigurationArgs{
				FileSystemId: v.FileSystemID, TransitEncryption: pulumi.String("ENABLED"),
				AuthorizationConfig: &ecs.TaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfigArgs{
					AccessPointId: v.AccessPointID.ToStringOutput().ToStringPtrOutput(), Iam: pulumi.String("ENABLED"),
				},
			},
		})
	}
	for _, c := range args.Containers {
		for i := range c.Scratch {
			out = append(out, &ecs.TaskDefinitionVolumeArgs{Name: pulumi.String(scratchVolume(c.Name, i))})
		}
	}
	for _, name := range args.SharedScratch {
		out = append(out, &ecs.TaskDefinitionVolumeArgs{Name: pulumi.String(name)})
	}
	return out
}

// containerDefinitions is the JSON that ECS wants. What AWS would fill in is written out, and lists
// are sorted as AWS returns them, so that nothing differs for ever.
func containerDefinitions(args *EcsServiceArgs, logGroup pulumi.StringInput) pulumi.StringOutput {
	containers := withScratch(args.Containers)
	var inits []string
	health := map[string]bool{}
	for _, c := range containers {
		health[c.Name] = c.Health != nil
	}
	list := pulumi.Array{}
	for _, c := range containers {
		after := pulumi.Array{}
		wait := func(name, condition string) {
			after = append(after, pulumi.Map{"containerName": pulumi.String(name), "condition": pulumi.String(condition)})
		}
		if c.Init {
			// One after another: each waits for the one before it.
			if len(inits) > 0 {
				wait(inits[len(inits)-1], "SUCCESS")
			}
			inits = append(inits, c.Name)
		} else {
			for _, other := range containers {
				if other.Init {
					wait(other.Name, "SUCCESS")
				}
			}
			for _, name := range slices.Sorted(slices.Values(c.After)) {
				if health[name] {
					wait(name, "HEALTHY")
				} else {
					wait(name, "START")
				}
			}
		}
		list = append(list, c.definition(after, args.Region, logGroup))
	}
	definitions := pulumi.JSONMarshal(list)
	// Everyone who may describe a task definition can read it: a value that Pulumi keeps secret has
	// no place in it, under whatever name.
	return definitions.ApplyT(func(text string) (string, error) {
		if pulumi.IsSecret(definitions) {
			return "", fmt.Errorf("the containers of a task are given a Pulumi secret in plain (in Environment, Command or Image): hand it over in Secrets")
		}
		return text, nil
	}).(pulumi.StringOutput)
}

func (c Container) definition(after pulumi.Array, region string, logGroup pulumi.StringInput) pulumi.Map {
	m := pulumi.Map{
		"name":                   pulumi.String(c.Name),
		"image":                  c.Image,
		"essential":              pulumi.Bool(!c.Init && !c.Optional),
		"user":                   pulumi.String(c.User),
		"privileged":             pulumi.Bool(false),
		"readonlyRootFilesystem": pulumi.Bool(c.WritableRootReason == ""),
		"cpu":                    pulumi.Int(c.CPUUnits),
		"stopTimeout":            pulumi.Int(c.StopSeconds),
		"linuxParameters": pulumi.Map{
			"initProcessEnabled": pulumi.Bool(true), // reaps what the service starts
			"capabilities":       pulumi.Map{"add": pulumi.Array{}, "drop": pulumi.Array{pulumi.String("ALL")}},
		},
		"environment":    pulumi.Array{},
		"mountPoints":    pulumi.Array{},
		"portMappings":   pulumi.Array{},
		"secrets":        pulumi.Array{},
		"systemControls": pulumi.Array{},
		"volumesFrom":    pulumi.Array{},
		"dependsOn":      after,
		"logConfiguration": pulumi.Map{"logDriver": pulumi.String("awslogs"), "options": pulumi.Map{
			"awslogs-group": logGroup, "awslogs-region": pulumi.String(region), "awslogs-stream-prefix": pulumi.String(c.Name),
			// A slow log service must not stop the application.
			"mode": pulumi.String("non-blocking"), "max-buffer-size": pulumi.String("25m"),
		}},
	}
	if c.StopSeconds == 0 {
		m["stopTimeout"] = pulumi.Int(30)
	}
	if len(c.EntryPoint) > 0 {
		m["entryPoint"] = pulumi.ToStringArray(c.EntryPoint)
	}
	if len(c.Command) > 0 {
		m["command"] = pulumi.ToStringArray(c.Command)
	}
	if c.MemoryMiB > 0 {
		m["memory"] = pulumi.Int(c.MemoryMiB)
	}
	environment, secrets, mounts, ports := pulumi.Array{}, pulumi.Array{}, pulumi.Array{}, pulumi.Array{}
	for _, k := range slices.Sorted(maps.Keys(c.Environment)) {
		environment = append(environment, pulumi.Map{"name": pulumi.String(k), "value": c.Environment[k]})
	}
	for _, k := range slices.Sorted(maps.Keys(c.Secrets)) {
		secrets = append(secrets, pulumi.Map{"name": pulumi.String(k), "valueFrom": c.Secrets[k].valueFrom()})
	}
	for _, v := range c.Mounts {
		mounts = append(mounts, pulumi.Map{"sourceVolume": pulumi.String(v.Volume), "containerPath": pulumi.String(v.Path), "readOnly": pulumi.Bool(v.ReadOnly)})
	}
	for _, p := range slices.Sorted(slices.Values(c.Ports)) {
		ports = append(ports, pulumi.Map{"containerPort": pulumi.Int(p), "hostPort": pulumi.Int(p), "protocol": pulumi.String("tcp")})
	}
	m["environment"], m["secrets"], m["mountPoints"], m["portMappings"] = environment, secrets, mounts, ports
	if h := c.Health; h != nil {
		check := *h
		setDefault(&check.IntervalSeconds, 30)
		setDefault(&check.TimeoutSeconds, 5)
		setDefault(&check.Retries, 3)
		m["healthCheck"] = pulumi.Map{
			"command": pulumi.ToStringArray(check.Command), "interval": pulumi.Int(check.IntervalSeconds), "timeout": pulumi.Int(check.TimeoutSeconds),
			"retries": pulumi.Int(check.Retries), "startPeriod": pulumi.Int(check.StartSeconds),
		}
	}
	return m
}

// valueFrom is how a container definition names the secret: …:key:stage:version, the newest version.
func (r SecretRef) valueFrom() pulumi.StringInput {
	if r.JSONKey == "" {
		return r.Arn
	}
	return pulumi.Sprintf("%s:%s::", r.Arn, r.JSONKey)
}
