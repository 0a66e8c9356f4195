package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func taskDefinition() cloud.Type {
	return cloud.Type{
		Token: taskDefinitionType,
		Check: func(c *cloud.CheckCall) {
			if family := c.In.String("family"); family != "" && !ecsName.MatchString(family) {
				c.Fail("family", "invalid value for family (see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html): %q", family)
			}
			if !c.In.Known("containerDefinitions") {
				return
			}
			if _, err := containers(c.In); err != nil {
				c.Fail("containerDefinitions", "ECS Task Definition container_definitions is invalid: %v", err)
			}
		},
		Create: createTaskDefinition,
		Takes:  cloud.Durations{Create: seconds(1), Delete: seconds(1)},
	}
}

// containers parses the container definitions.
func containers(o cloud.Object) ([]cloud.Object, error) {
	parsed, err := cloud.JSON(o["containerDefinitions"])
	if err != nil {
		return nil, err
	}
	if _, ok := parsed.([]any); !ok {
		return nil, fmt.Errorf("a JSON list of container definitions is required")
	}
	out := cloud.Object{"list": parsed}.Objects("list")
	if len(out) != len(parsed.([]any)) {
		return nil, fmt.Errorf("each container definition must be an object")
	}
	return out, nil
}

func register(code, format string, args ...any) error {
	return ecs("RegisterTaskDefinition", code, format, args...)
}

func createTaskDefinition(c *cloud.Call) error {
	list, err := containers(c.In)
	if err != nil {
		return register("ClientException", "%v", err)
	}
	t := task{in: c.In, containers: list, fargate: slices.Contains(c.In.Strings("requiresCompatibilities"), "FARGATE")}
	if err := t.check(); err != nil {
		return err
	}
	for _, key := range []string{"taskRoleArn", "executionRoleArn"} {
		if role := c.In.String(key); role != "" && !roleARN(c.World, role) {
			return register("ClientException", "Role is not valid")
		}
	}
	family, revision := c.In.String("family"), c.World.Created()[c.URN]+1
	for _, other := range c.All(taskDefinitionType) {
		if other.Out.String("family") == family {
			revision = max(revision, other.Out.Int("revision")+1)
		}
	}
	without := arn("ecs", c.Scope, "task-definition/"+family)
	// The provider's id is the family; revisions of one family live side by side, so that the
	// simulated id is the ARN, which names the revision.
	c.ID = fmt.Sprintf("%s:%d", without, revision)
	c.Out["arn"], c.Out["arnWithoutRevision"], c.Out["revision"] = c.ID, without, float64(revision)
	computed(c, "networkMode", "bridge")
	return nil
}

// task is a task definition under examination.
type task struct {
	in         cloud.Object
	containers []cloud.Object
	fargate    bool
}

var volumeName = regexp.MustCompile(`^[0-9A-Za-z_-]{1,255}$`)

func (t task) check() error {
	if len(t.containers) == 0 {
		return register("ClientException", "Container list cannot be empty.")
	}
	if t.fargate {
		if err := t.checkFargate(); err != nil {
			return err
		}
	}
	if err := t.checkVolumes(); err != nil {
		return err
	}
	names := map[string]cloud.Object{}
	essential, total := 0, 0
	for _, c := range t.containers {
		name := c.String("name")
		if !ecsName.MatchString(name) {
			return register("ClientException", "Container.name contains invalid characters or is empty: '%s'.", name)
		}
		if names[name] != nil {
			return register("ClientException", "Container name '%s' is used more than once; names must be unique in a task definition.", name)
		}
		names[name] = c
		if !c.Has("essential") || c.Bool("essential") {
			essential++
		}
		total += c.Int("cpu")
	}
	if essential == 0 {
		return register("ClientException", "A task definition must have at least one essential container.")
	}
	if limit := cpuUnits(t.in.String("cpu")); limit > 0 && total > limit {
		return register("ClientException", "The total CPU of containers (%d) exceeds the CPU of the task (%d).", total, limit)
	}
	for _, c := range t.containers {
		if err := t.checkContainer(c); err != nil {
			return err
		}
	}
	return t.checkOrder(names)
}

// fargateMemory are the memory sizes that Fargate has for each CPU size: lowest, highest, step in MiB.
var fargateMemory = map[int][3]int{
	512: {1024, 4096, 1024}, 1024: {2048, 8192, 1024}, 2048: {4096, 16384, 1024}, 4096: {8192, 30720, 1024},
	8192: {16384, 61440, 4096}, 16384: {32768, 122880, 8192},
}

// validFargate tells whether Fargate has the pair of CPU units and MiB.
func validFargate(cpu, memory int) bool {
	if cpu == 256 {
		return memory == 512 || memory == 1024 || memory == 2048
	}
	m, ok := fargateMemory[cpu]
	return ok && memory >= m[0] && memory <= m[1] && (memory-m[0])%m[2] == 0
}

// cpuUnits reads "256" and "0.25 vCPU"; 0 stands for nothing or nonsense.
func cpuUnits(s string) int { return scaled(s, "vcpu", 1024) }

// mebibytes reads "512" and "0.5 GB".
func mebibytes(s string) int { return scaled(s, "gb", 1024) }

func scaled(s, unit string, by float64) int {
	s = strings.ToLower(strings.TrimSpace(s))
	if number, ok := strings.CutSuffix(s, unit); ok {
		n, _ := strconv.ParseFloat(strings.TrimSpace(number), 64)
		return int(n * by)
	}
	n, _ := strconv.Atoi(s)
	return n
}

func (t task) checkFargate() error {
	cpu, memory := t.in.String("cpu"), t.in.String("memory")
	switch {
	case t.in.String("networkMode") != "awsvpc":
		return register("ClientException", "Fargate only supports network mode 'awsvpc'.")
	case cpu == "":
		return register("ClientException", "Fargate requires that 'cpu' be defined at the task level.")
	case memory == "":
		return register("ClientException", "Fargate requires that 'memory' be defined at the task level.")
	case !validFargate(cpuUnits(cpu), mebibytes(memory)):
		return register("ClientException", "No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for the valid values.", cpuUnits(cpu), mebibytes(memory))
	case len(t.in.List("placementConstraints")) > 0:
		return register("ClientException", "Fargate does not support placementConstraints.")
	case t.in.Has("ipcMode"):
		return register("ClientException", "Fargate compatible task definitions do not support ipcMode.")
	case t.in.String("pidMode") == "host":
		return register("ClientException", "Fargate compatible task definitions do not support pidMode 'host'.")
	case len(t.in.List("inferenceAccelerators")) > 0:
		return register("ClientException", "Fargate compatible task definitions do not support inferenceAccelerators.")
	}
	return nil
}

func (t task) checkVolumes() error {
	seen := map[string]bool{}
	for _, v := range t.in.Objects("volumes") {
		name := v.String("name")
		if !volumeName.MatchString(name) {
			return register("ClientException", "Volume.name contains invalid characters or is empty: '%s'.", name)
		}
		if seen[name] {
			return register("ClientException", "Volume name '%s' is used more than once.", name)
		}
		seen[name] = true
		if t.fargate && v.Has("dockerVolumeConfiguration") {
			return register("ClientException", "Fargate compatible task definitions do not support dockerVolumeConfiguration.")
		}
		if t.fargate && v.Has("hostPath") {
			return register("ClientException", "Fargate compatible task definitions do not support sourcePath of a host volume.")
		}
		efs := v.Object("efsVolumeConfiguration")
		if efs == nil {
			continue
		}
		encrypted, root := efs.String("transitEncryption") == "ENABLED", efs.String("rootDirectory")
		switch {
		case !strings.HasPrefix(efs.String("fileSystemId"), "fs-"):
			return register("ClientException", "Invalid fileSystemId '%s' in the EFS volume configuration of volume '%s'.", efs.String("fileSystemId"), name)
		case efs.String("authorizationConfig.iam") == "ENABLED" && !encrypted:
			return register("ClientException", "EFS transit encryption must be enabled when IAM authorization is used (volume '%s').", name)
		case efs.Has("authorizationConfig.accessPointId") && !encrypted:
			return register("ClientException", "EFS transit encryption must be enabled when an access point is used (volume '%s').", name)
		case efs.Has("authorizationConfig.accessPointId") && root != "" && root != "/":
			return register("ClientException", "Root directory must be omitted or '/' when an access point is used (volume '%s').", name)
		case efs.Int("transitEncryptionPort") != 0 && !encrypted:
			return register("ClientException", "EFS transit encryption must be enabled when a transit encryption port is given (volume '%s').", name)
		case efs.String("authorizationConfig.iam") == "ENABLED" && !t.in.Has("taskRoleArn"):
			return register("ClientException", "A task role is required when EFS IAM authorization is used (volume '%s').", name)
		}
	}
	return nil
}

// checkOrder refuses dependencies between containers that cannot be met.
func (t task) checkOrder(names map[string]cloud.Object) error {
	state := map[string]int{}
	var visit func(name string) error
	visit = func(name string) error {
		if state[name] == 1 {
			return register("ClientException", "There is a circular dependency between containers at '%s'.", name)
		}
		if state[name] == 2 {
			return nil
		}
		state[name] = 1
		for _, d := range names[name].Objects("dependsOn") {
			on, condition := d.String("containerName"), d.String("condition")
			other := names[on]
			switch {
			case other == nil:
				return register("ClientException", "Container '%s' depends on container '%s', which is not in the task definition.", name, on)
			case !slices.Contains([]string{"START", "COMPLETE", "SUCCESS", "HEALTHY"}, condition):
				return register("ClientException", "Invalid dependency condition '%s' of container '%s'.", condition, name)
			case condition == "HEALTHY" && !other.Has("healthCheck"):
				return register("ClientException", "Container '%s' waits for '%s' to be HEALTHY, but it has no health check.", name, on)
			case (condition == "COMPLETE" || condition == "SUCCESS") && (!other.Has("essential") || other.Bool("essential")):
				return register("ClientException", "Container '%s' waits for '%s' to end (%s), but it is essential: its end stops the task.", name, on, condition)
			}
			if err := visit(on); err != nil {
				return err
			}
		}
		state[name] = 2
		return nil
	}
	for _, c := range t.containers {
		if err := visit(c.String("name")); err != nil {
			return err
		}
	}
	return nil
}
