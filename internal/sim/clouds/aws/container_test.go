package aws

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

// definitions writes container definitions: each change is laid over one good container.
func definitions(changes ...props) string {
	list := []any{}
	for _, c := range changes {
		list = append(list, with(props{
			"name": "app", "image": "example.com/app:1.2.3", "essential": true,
			"portMappings":     []any{props{"containerPort": 8000, "name": "http"}},
			"logConfiguration": awslogs(nil),
		}, c))
	}
	out, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func awslogs(change props) props {
	return props{"logDriver": "awslogs", "options": with(props{"awslogs-group": "/morphee/app", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "app"}, change)}
}

func (n plant) task(s *simtest.Sim) props {
	return props{"family": "app", "requiresCompatibilities": []string{"FARGATE"}, "networkMode": "awsvpc", "cpu": "256", "memory": "512",
		"executionRoleArn": n.execution, "taskRoleArn": n.taskRole, "containerDefinitions": definitions(nil),
		"runtimePlatform": props{"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}
}

func efsVolume(id string, change props) []any {
	return []any{props{"name": "data", "efsVolumeConfiguration": with(props{"fileSystemId": id, "transitEncryption": "ENABLED"}, change)}}
}

func TestTaskDefinitionRefusals(t *testing.T) {
	task := func(s *simtest.Sim, n plant) props { return n.task(s) }
	containers := func(good, wrong props) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) {
			return with(n.task(s), props{"containerDefinitions": definitions(good)}), props{"containerDefinitions": definitions(wrong)}
		})
	}
	two := func(good, wrong props) func(*simtest.Sim) (props, props) {
		side := func(c props) string {
			return definitions(c, with(props{"name": "side", "essential": false, "portMappings": []any{}}, nil))
		}
		return on(func(s *simtest.Sim, n plant) (props, props) {
			return with(n.task(s), props{"containerDefinitions": side(good)}), props{"containerDefinitions": side(wrong)}
		})
	}
	volumes := func(wrong props) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) {
			good := props{"authorizationConfig": props{"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"}}
			return with(n.task(s), props{"volumes": efsVolume("fs-0123456789abcdef0", good)}), props{"volumes": efsVolume("fs-0123456789abcdef0", with(good, wrong))}
		})
	}
	secret := props{"name": "TOKEN", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:token-AbCdEf"}
	runRefusals(t, []refusal{
		{"Fargate pair", taskDefinitionType, "No Fargate configuration exists for given values: 256 CPU, 4096 memory", plus(task, props{"memory": "4096"})},
		{"Fargate memory between steps", taskDefinitionType, "No Fargate configuration exists", plus(task, props{"cpu": "1024", "memory": "2500"})},
		{"Fargate CPU that is no size", taskDefinitionType, "No Fargate configuration exists", plus(task, props{"cpu": "300"})},
		{"Fargate without CPU", taskDefinitionType, "'cpu' be defined at the task level", plus(task, props{"cpu": nil})},
		{"Fargate without memory", taskDefinitionType, "'memory' be defined at the task level", plus(task, props{"memory": nil})},
		{"Fargate on a bridge", taskDefinitionType, "Fargate only supports network mode 'awsvpc'", plus(task, props{"networkMode": "bridge"})},
		{"family with a dot", taskDefinitionType, "invalid value for family", plus(task, props{"family": "my.app"})},
		{"definitions that are no JSON", taskDefinitionType, "container_definitions is invalid", plus(task, props{"containerDefinitions": "[{"})},
		{"definitions that are no list", taskDefinitionType, "a JSON list", plus(task, props{"containerDefinitions": "{}"})},
		{"no containers", taskDefinitionType, "Container list cannot be empty", plus(task, props{"containerDefinitions": "[]"})},
		{"role that does not exist", taskDefinitionType, "Role is not valid", plus(task, props{"taskRoleArn": "arn:aws:iam::123456789012:role/nobody"})},
		{"container without image", taskDefinitionType, "Container.image should not be null or empty", containers(nil, props{"image": nil})},
		{"container name with a space", taskDefinitionType, "Container.name contains invalid characters", containers(nil, props{"name": "my app"})},
		{"two containers of a name", taskDefinitionType, "names must be unique", two(nil, props{"name": "side"})},
		{"nothing essential", taskDefinitionType, "at least one essential container", two(nil, props{"essential": false})},
		{"more CPU than the task", taskDefinitionType, "exceeds the CPU of the task", containers(props{"cpu": 256}, props{"cpu": 512})},
		{"more memory than the task", taskDefinitionType, "exceeds the memory of the task", containers(props{"memory": 512}, props{"memory": 1024})},
		{"reservation above the limit", taskDefinitionType, "'memoryReservation' must be less", containers(props{"memory": 256, "memoryReservation": 128}, props{"memory": 128, "memoryReservation": 256})},
		{"host port differs", taskDefinitionType, "host ports and container ports in port mappings must match", containers(nil, props{"portMappings": []any{props{"containerPort": 8000, "hostPort": 80}}})},
		{"port twice", taskDefinitionType, "more than once", containers(nil, props{"portMappings": []any{props{"containerPort": 80}, props{"containerPort": 80}}})},
		{"volume that is not declared", taskDefinitionType, "Unknown volume 'data'", on(func(s *simtest.Sim, n plant) (props, props) {
			mount := definitions(props{"mountPoints": []any{props{"sourceVolume": "data", "containerPath": "/data"}}})
			return with(n.task(s), props{"containerDefinitions": mount, "volumes": []any{props{"name": "data"}}}), props{"volumes": nil}
		})},
		{"dependency on nothing", taskDefinitionType, "is not in the task definition", two(props{"dependsOn": []any{props{"containerName": "side", "condition": "START"}}}, props{"dependsOn": []any{props{"containerName": "init", "condition": "START"}}})},
		{"waiting for health without a check", taskDefinitionType, "it has no health check", two(props{"dependsOn": []any{props{"containerName": "side", "condition": "START"}}}, props{"dependsOn": []any{props{"containerName": "side", "condition": "HEALTHY"}}})},
		{"waiting for itself", taskDefinitionType, "circular dependency", two(nil, props{"dependsOn": []any{props{"containerName": "app", "condition": "START"}}})},
		{"secret and variable of a name", taskDefinitionType, "The secret name must be unique", containers(props{"secrets": []any{secret}}, props{"secrets": []any{secret}, "environment": []any{props{"name": "TOKEN", "value": "x"}}})},
		{"secret that is no secret", taskDefinitionType, "Invalid valueFrom", containers(props{"secrets": []any{secret}}, props{"secrets": []any{with(secret, props{"valueFrom": "arn:aws:s3:::bucket"})}})},
		{"secrets without execution role", taskDefinitionType, "you must also specify a value for 'executionRoleArn'", on(func(s *simtest.Sim, n plant) (props, props) {
			return with(n.task(s), props{"containerDefinitions": definitions(props{"secrets": []any{secret}, "logConfiguration": nil})}), props{"executionRoleArn": nil}
		})},
		{"logs without execution role", taskDefinitionType, "execution role ARN to support log driver awslogs", plus(task, props{"executionRoleArn": nil})},
		{"log driver that Fargate has not", taskDefinitionType, "Fargate does not support the log driver 'json-file'", containers(nil, props{"logConfiguration": props{"logDriver": "json-file"}})},
		{"logs without stream prefix", taskDefinitionType, "awslogs-stream-prefix", containers(nil, props{"logConfiguration": awslogs(props{"awslogs-stream-prefix": nil})})},
		{"logs to no region", taskDefinitionType, "is not a region", containers(nil, props{"logConfiguration": awslogs(props{"awslogs-region": "eu-west-9"})})},
		{"health check that is no command", taskDefinitionType, "must start with CMD or CMD-SHELL", containers(props{"healthCheck": props{"command": []string{"CMD", "true"}}}, props{"healthCheck": props{"command": []string{"curl", "localhost"}}})},
		{"health check too often", taskDefinitionType, "must be between 5 and 300", containers(props{"healthCheck": props{"command": []string{"CMD", "true"}, "interval": 5}}, props{"healthCheck": props{"command": []string{"CMD", "true"}, "interval": 1}})},
		{"privileged on Fargate", taskDefinitionType, "do not support privileged", containers(nil, props{"privileged": true})},
		{"capability on Fargate", taskDefinitionType, "no added capability but SYS_PTRACE", containers(props{"linuxParameters": props{"capabilities": props{"drop": []string{"ALL"}}}}, props{"linuxParameters": props{"capabilities": props{"add": []string{"NET_ADMIN"}}}})},
		{"stop timeout on Fargate", taskDefinitionType, "at most 120 seconds", containers(props{"stopTimeout": 120}, props{"stopTimeout": 300})},
		{"EFS IAM in the clear", taskDefinitionType, "transit encryption must be enabled when IAM", volumes(props{"transitEncryption": "DISABLED"})},
		{"EFS access point and directory", taskDefinitionType, "Root directory must be omitted", volumes(props{"rootDirectory": "/data"})},
		{"ephemeral storage too small", taskDefinitionType, "at least 21", on(func(s *simtest.Sim, n plant) (props, props) {
			return with(n.task(s), props{"ephemeralStorage": props{"sizeInGib": 21}}), props{"ephemeralStorage": props{"sizeInGib": 20}}
		})},
	})
}

// stack is everything a service needs.
type stack struct {
	plant
	cluster, task, group, listener *cloud.Resource
	service                        props
}

func aStack(s *simtest.Sim, task props) stack {
	k := stack{plant: aPlant(s)}
	s.Must(logGroupToken, "app", props{"name": "/morphee/app"})
	k.cluster = s.Must(ecsClusterType, "main", props{"name": "main"})
	s.Must(clusterCapacityType, "main", props{"clusterName": "main", "capacityProviders": []string{"FARGATE", "FARGATE_SPOT"}})
	k.task = s.Must(taskDefinitionType, "app", with(k.plant.task(s), task))
	k.group = k.targets(s, "app", nil)
	k.listener = k.plant.listener(s, k.balancer(s, "web"), k.group)
	k.service = props{"name": "app", "cluster": k.cluster.ID, "taskDefinition": k.task.Out["arn"], "desiredCount": 2, "launchType": "FARGATE",
		"networkConfiguration":          props{"subnets": k.private, "securityGroups": []string{k.plant.group}},
		"loadBalancers":                 []any{props{"targetGroupArn": k.group.ID, "containerName": "app", "containerPort": 8000}},
		"healthCheckGracePeriodSeconds": 60, "deploymentCircuitBreaker": props{"enable": true, "rollback": true}, "waitForSteadyState": true}
	return k
}

// serve makes a row whose service differs from a good one by fixed values.
func serve(mistake props) func(*simtest.Sim) (props, props) {
	return func(s *simtest.Sim) (props, props) { return aStack(s, nil).service, mistake }
}

// serving makes a row from the stack.
func serving(f func(s *simtest.Sim, k stack) (good, mistake props)) func(*simtest.Sim) (props, props) {
	return func(s *simtest.Sim) (props, props) { return f(s, aStack(s, nil)) }
}

func TestServiceRefusals(t *testing.T) {
	balancer := func(k stack, change props) props {
		return props{"loadBalancers": []any{with(k.service["loadBalancers"].([]any)[0].(props), change)}}
	}
	network := func(k stack, change props) props {
		return props{"networkConfiguration": with(k.service["networkConfiguration"].(props), change)}
	}
	other := func(s *simtest.Sim, k stack, change props) props {
		return props{"taskDefinition": s.Must(taskDefinitionType, "other", with(k.plant.task(s), change)).Out["arn"]}
	}
	runRefusals(t, []refusal{
		{"service in no cluster", ecsServiceType, "ClusterNotFoundException", serve(props{"cluster": "nobody"})},
		{"service of no task", ecsServiceType, "Unable to describe task definition", serve(props{"taskDefinition": "nobody:3"})},
		{"service name with a space", ecsServiceType, "invalid value for name", serve(props{"name": "my app"})},
		{"service twice", ecsServiceType, "Creation of service was not idempotent", serving(func(s *simtest.Sim, k stack) (props, props) {
			s.Must(ecsServiceType, "first", with(k.service, props{"name": "first"}))
			return k.service, props{"name": "first"}
		})},
		{"target group without listener", ecsServiceType, "does not have an associated load balancer", serving(func(s *simtest.Sim, k stack) (props, props) {
			return k.service, balancer(k, props{"targetGroupArn": k.targets(s, "alone", nil).ID})
		})},
		{"target group of instances", ecsServiceType, "incompatible with the awsvpc network mode", serving(func(s *simtest.Sim, k stack) (props, props) {
			return k.service, balancer(k, props{"targetGroupArn": k.targets(s, "machines", props{"targetType": "instance"}).ID})
		})},
		{"container that the task has not", ecsServiceType, "The container web does not exist in the task definition", serving(func(s *simtest.Sim, k stack) (props, props) {
			return k.service, balancer(k, props{"containerName": "web"})
		})},
		{"port that the container has not", ecsServiceType, "did not have a container port 3000 defined", serving(func(s *simtest.Sim, k stack) (props, props) {
			return k.service, balancer(k, props{"containerPort": 3000})
		})},
		{"subnet that does not exist", ecsServiceType, "InvalidSubnetID.NotFound", serving(func(s *simtest.Sim, k stack) (props, props) {
			return k.service, network(k, props{"subnets": []string{"subnet-0123456789abcdef0"}})
		})},
		{"subnets of two networks", ecsServiceType, "same VPC", serving(func(s *simtest.Sim, k stack) (props, props) {
			return k.service, network(k, props{"subnets": []string{k.private[0], k.otherSubnets[0]}})
		})},
		{"security group of another network", ecsServiceType, "does not appear to belong to the same VPC", serving(func(s *simtest.Sim, k stack) (props, props) {
			return k.service, network(k, props{"securityGroups": []string{k.otherGroup}})
		})},
		{"no network", ecsServiceType, "Network Configuration must be provided when networkMode 'awsvpc' is specified", serve(props{"networkConfiguration": nil})},
		{"nothing may stop and nothing may be added", ecsServiceType, "Both maximumPercent and minimumHealthyPercent cannot be 100", serve(props{"deploymentMaximumPercent": 100, "deploymentMinimumHealthyPercent": 100})},
		{"maximum below minimum", ecsServiceType, "not below minimumHealthyPercent", serve(props{"deploymentMaximumPercent": 50, "deploymentMinimumHealthyPercent": 60})},
		{"launch type and strategy", ecsServiceType, "Specifying both a launch type and capacity provider strategy is not supported", serve(props{"capacityProviderStrategies": []any{props{"capacityProvider": "FARGATE", "weight": 1}}})},
		{"capacity that the cluster has not", ecsServiceType, "not associated with the cluster", serving(func(s *simtest.Sim, k stack) (props, props) {
			spot := func(name string) props {
				return props{"launchType": nil, "capacityProviderStrategies": []any{props{"capacityProvider": name, "weight": 1}}}
			}
			return with(k.service, spot("FARGATE_SPOT")), spot("ec2")
		})},
		{"capacity without weight", ecsServiceType, "weight greater than 0", serving(func(s *simtest.Sim, k stack) (props, props) {
			spot := func(weight int) props {
				return props{"launchType": nil, "capacityProviderStrategies": []any{props{"capacityProvider": "FARGATE", "weight": weight}}}
			}
			return with(k.service, spot(1)), spot(0)
		})},
		{"no capacity at all", ecsServiceType, "No Container Instances were found in your cluster", serving(func(s *simtest.Sim, k stack) (props, props) {
			second := s.Must(ecsClusterType, "second", props{"name": "second"})
			s.Must(clusterCapacityType, "second", props{"clusterName": "second", "capacityProviders": []string{"FARGATE"}, "defaultCapacityProviderStrategies": []any{props{"capacityProvider": "FARGATE", "weight": 1}}})
			return with(k.service, props{"launchType": nil, "cluster": second.ID}), props{"cluster": k.cluster.ID}
		})},
		{"platform version", ecsServiceType, "PlatformUnknownException", serve(props{"platformVersion": "2.0.0"})},
		{"grace without balancer", ecsServiceType, "Health check grace period is only valid", serving(func(s *simtest.Sim, k stack) (props, props) {
			return with(k.service, props{"loadBalancers": nil, "healthCheckGracePeriodSeconds": nil}), props{"healthCheckGracePeriodSeconds": 60}
		})},
		{"exec without task role", ecsServiceType, "valid taskRoleArn is not being used", serving(func(s *simtest.Sim, k stack) (props, props) {
			return with(k.service, props{"enableExecuteCommand": true}), other(s, k, props{"family": "other", "taskRoleArn": nil})
		})},
		{"task not for Fargate", ecsServiceType, "Task definition does not support launch_type FARGATE", serving(func(s *simtest.Sim, k stack) (props, props) {
			return k.service, other(s, k, props{"family": "other", "requiresCompatibilities": []string{"EC2"}})
		})},
		{"role that tasks may not take", ecsServiceType, "ECS was unable to assume the role", serving(func(s *simtest.Sim, k stack) (props, props) {
			return k.service, other(s, k, props{"family": "other", "taskRoleArn": aRole(s, "wrong", "ec2.amazonaws.com").Out["arn"]})
		})},
		{"log group that does not exist", ecsServiceType, "The specified log group does not exist", serving(func(s *simtest.Sim, k stack) (props, props) {
			return k.service, other(s, k, props{"family": "other", "containerDefinitions": definitions(props{"logConfiguration": awslogs(props{"awslogs-group": "/nobody"})})})
		})},
		{"secret that does not exist", ecsServiceType, "ResourceNotFoundException", serving(func(s *simtest.Sim, k stack) (props, props) {
			kept := s.Must(secretTokenName, "token", props{"name": "token"})
			use := func(arn any) props {
				return props{"family": "other", "containerDefinitions": definitions(props{"secrets": []any{props{"name": "TOKEN", "valueFrom": arn}}})}
			}
			good := with(k.service, other(s, k, use(kept.Out["arn"].(string)+":password::")))
			return good, other(s, k, use("arn:aws:secretsmanager:eu-west-1:123456789012:secret:nobody-AbCdEf"))
		})},
		{"file system that is not mounted in a zone", ecsServiceType, "Failed to resolve", serving(func(s *simtest.Sim, k stack) (props, props) {
			fs := s.Must(fileSystemType, "repos", props{"encrypted": true})
			s.Must(mountTargetType, "a", props{"fileSystemId": fs.ID, "subnetId": k.private[0]})
			task := other(s, k, props{"family": "other", "volumes": efsVolume(fs.ID, nil)})
			return with(with(k.service, task), network(k, props{"subnets": k.private[:1]})), network(k, nil)
		})},
		{"access point of another file system", ecsServiceType, "access denied by server", serving(func(s *simtest.Sim, k stack) (props, props) {
			fs, far := s.Must(fileSystemType, "repos", props{"encrypted": true}), s.Must(fileSystemType, "far", props{"encrypted": true})
			for i, id := range k.private {
				s.Must(mountTargetType, string(rune('a'+i)), props{"fileSystemId": fs.ID, "subnetId": id})
			}
			point := func(id string) any { return s.Must(accessPointType, "p"+id, props{"fileSystemId": id}).ID }
			use := func(id any) props {
				return other(s, k, props{"family": "other", "volumes": efsVolume(fs.ID, props{"authorizationConfig": props{"accessPointId": id}})})
			}
			return with(k.service, use(point(fs.ID))), use(point(far.ID))
		})},
		{"Service Connect port without a name", ecsServiceType, "does not refer to any named PortMapping", serving(func(s *simtest.Sim, k stack) (props, props) {
			connect := func(name string) props {
				return props{"serviceConnectConfiguration": props{"enabled": true, "services": []any{props{"portName": name}}}}
			}
			return with(k.service, connect("http")), connect("grpc")
		})},
		{"cluster name with a dot", ecsClusterType, "alphanumerics, hyphens, and underscores", fixedInputs(props{"name": "main"}, props{"name": "my.cluster"})},
		{"insights setting", ecsClusterType, "Invalid cluster setting value", fixedInputs(props{"settings": []any{props{"name": "containerInsights", "value": "enhanced"}}}, props{"settings": []any{props{"name": "containerInsights", "value": "on"}}})},
		{"providers of no cluster", clusterCapacityType, "ClusterNotFoundException", serving(func(s *simtest.Sim, k stack) (props, props) {
			s.Must(ecsClusterType, "second", props{"name": "second"})
			return props{"clusterName": "second", "capacityProviders": []string{"FARGATE"}}, props{"clusterName": "nobody"}
		})},
		{"default strategy outside the list", clusterCapacityType, "not associated with the cluster", serving(func(s *simtest.Sim, k stack) (props, props) {
			s.Must(ecsClusterType, "second", props{"name": "second"})
			use := func(name string) []any { return []any{props{"capacityProvider": name, "weight": 1}} }
			return props{"clusterName": "second", "capacityProviders": []string{"FARGATE"}, "defaultCapacityProviderStrategies": use("FARGATE")}, props{"defaultCapacityProviderStrategies": use("FARGATE_SPOT")}
		})},
		{"provider that does not exist", clusterCapacityType, "was not found", serving(func(s *simtest.Sim, k stack) (props, props) {
			s.Must(ecsClusterType, "second", props{"name": "second"})
			return props{"clusterName": "second", "capacityProviders": []string{"FARGATE"}}, props{"capacityProviders": []string{"spot"}}
		})},
	})
}

const secretTokenName = "aws:secretsmanager/secret:Secret"

func TestScalingRefusals(t *testing.T) {
	target := func(s *simtest.Sim) (stack, props) {
		k := aStack(s, nil)
		s.Must(ecsServiceType, "app", k.service)
		return k, props{"resourceId": "service/main/app", "scalableDimension": "ecs:service:DesiredCount", "serviceNamespace": "ecs", "minCapacity": 2, "maxCapacity": 6}
	}
	aim := func(mistake props) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) { _, good := target(s); return good, mistake }
	}
	track := func(metric string, more props) props {
		return props{"targetTrackingScalingPolicyConfiguration": with(props{"targetValue": 60, "predefinedMetricSpecification": with(props{"predefinedMetricType": metric}, more)}, nil)}
	}
	policy := func(f func(s *simtest.Sim, k stack, good props) (props, props)) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			k, registered := target(s)
			s.Must(scalingTargetType, "app", registered)
			return f(s, k, with(props{"name": "cpu", "policyType": "TargetTrackingScaling", "resourceId": "service/main/app", "scalableDimension": "ecs:service:DesiredCount", "serviceNamespace": "ecs"},
				track("ECSServiceAverageCPUUtilization", nil)))
		}
	}
	aside := func(mistake props) func(*simtest.Sim) (props, props) {
		return policy(func(s *simtest.Sim, k stack, good props) (props, props) { return good, mistake })
	}
	runRefusals(t, []refusal{
		{"target of no service", scalingTargetType, "ECS service doesn't exist: service/main/nobody", aim(props{"resourceId": "service/main/nobody"})},
		{"maximum below minimum", scalingTargetType, "Maximum capacity cannot be less than minimum capacity", aim(props{"maxCapacity": 1})},
		{"dimension of another service", scalingTargetType, "Unsupported service namespace", aim(props{"scalableDimension": "rds:cluster:ReadReplicaCount"})},
		{"policy without target", scalingPolicyType, "ObjectNotFoundException: No scalable target registered", aside(props{"resourceId": "service/main/nobody"})},
		{"tracking without configuration", scalingPolicyType, "require a target tracking configuration", aside(props{"targetTrackingScalingPolicyConfiguration": nil})},
		{"metric of another service", scalingPolicyType, "Invalid predefined metric type", aside(track("RDSReaderAverageCPUUtilization", nil))},
		{"metric tracked twice", scalingPolicyType, "Only one TargetTrackingScaling policy", policy(func(s *simtest.Sim, k stack, good props) (props, props) {
			s.Must(scalingPolicyType, "first", with(good, props{"name": "first"}))
			return with(good, track("ECSServiceAverageMemoryUtilization", nil)), track("ECSServiceAverageCPUUtilization", nil)
		})},
		{"requests without label", scalingPolicyType, "must specify a resource label", aside(track("ALBRequestCountPerTarget", nil))},
		{"requests with a label of nothing", scalingPolicyType, "is not valid", policy(func(s *simtest.Sim, k stack, good props) (props, props) {
			lb := s.World.Find("eu-west-1", loadBalancerType, k.listener.Out.String("loadBalancerArn"))
			label := lb.Out.String("arnSuffix") + "/" + k.group.Out.String("arnSuffix")
			return with(good, track("ALBRequestCountPerTarget", props{"resourceLabel": label})), track("ALBRequestCountPerTarget", props{"resourceLabel": "app/no/1/targetgroup/no/2"})
		})},
	})
}

// A service has as many tasks as the range that is registered for it allows, from the moment it is
// registered, and an update that does not ask for another number leaves them.
func TestScalingRangeMovesTheService(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	k := aStack(s, nil)
	svc := s.Must(ecsServiceType, "app", with(k.service, props{"desiredCount": 0}))
	tasks := func(when string, want int) {
		t.Helper()
		if got := s.World.Find("eu-west-1", ecsServiceType, svc.ID).Out.Int("desiredCount"); got != want {
			t.Errorf("%s: %d tasks, want %d", when, got, want)
		}
	}
	target := s.Must(scalingTargetType, "app", props{"resourceId": "service/main/app", "scalableDimension": "ecs:service:DesiredCount", "serviceNamespace": "ecs", "minCapacity": 2, "maxCapacity": 6})
	tasks("registered", 2)
	updates(t, s, svc, props{"enableEcsManagedTags": true})
	tasks("the service updated", 2)
	if read, err := s.Read(svc); err != nil || read.Int("desiredCount") != 2 {
		t.Errorf("read: %v %v", read.Int("desiredCount"), err)
	}
	updates(t, s, target, props{"minCapacity": 4})
	tasks("a higher minimum", 4)
	updates(t, s, target, props{"minCapacity": 1})
	tasks("a lower minimum", 4)
	updates(t, s, target, props{"minCapacity": 1, "maxCapacity": 3})
	tasks("a lower maximum", 3)
	updates(t, s, target, props{"minCapacity": 0, "maxCapacity": 0})
	tasks("no range", 0)
	deletes(t, s, target)
	tasks("not registered any more", 0)
}

func TestServiceLife(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	k := aStack(s, nil)
	svc := s.Must(ecsServiceType, "app", k.service)
	if want := "arn:aws:ecs:eu-west-1:123456789012:service/main/app"; svc.ID != want {
		t.Errorf("service id %q, want %q", svc.ID, want)
	}
	matches(t, "task", k.task.Out.String("arn"), `^arn:aws:ecs:eu-west-1:123456789012:task-definition/app:1$`)
	refusedDelete(t, s, k.cluster, "ClusterContainsServicesException")
	second := s.Must(taskDefinitionType, "app", with(k.plant.task(s), props{"cpu": "512", "memory": "1024"}))
	matches(t, "second revision", second.Out.String("arn"), `:task-definition/app:2$`)
	updates(t, s, svc, props{"taskDefinition": second.Out["arn"]})
	refusedUpdate(t, s, svc, props{"taskDefinition": "app:9"}, "Unable to describe task definition")
	deletes(t, s, k.task)
	if s.World.Find("eu-west-1", taskDefinitionType, second.ID) == nil {
		t.Error("deleting the first revision took the second along")
	}
	replaced(t, s, k.cluster, props{"name": "renamed"}, "name")
	replaced(t, s, second, props{"containerDefinitions": strings.Replace(definitions(nil), "1.2.3", "1.2.4", 1), "cpu": "512", "memory": "1024"}, "containerDefinitions")
	spot := s.Must(ecsServiceType, "spot", with(k.service, props{"name": "spot", "taskDefinition": second.Out["arn"], "launchType": nil, "forceNewDeployment": true, "capacityProviderStrategies": []any{props{"capacityProvider": "FARGATE", "weight": 1}}}))
	more := []any{props{"capacityProvider": "FARGATE", "weight": 1}, props{"capacityProvider": "FARGATE_SPOT", "weight": 3}}
	replaced(t, s, spot, props{"capacityProviderStrategies": more}, "")
	replaced(t, s, spot, props{"capacityProviderStrategies": more, "forceNewDeployment": false}, "capacityProviderStrategies")
	deletes(t, s, spot)
	deletes(t, s, svc)
	deletes(t, s, k.cluster)
}

func TestFargatePairs(t *testing.T) {
	accepted := map[int][]int{256: {512, 1024, 2048}, 512: {1024, 2048, 3072, 4096}, 1024: {2048, 5120, 8192}, 2048: {4096, 16384}, 4096: {8192, 30720}, 8192: {16384, 20480, 61440}, 16384: {32768, 40960, 122880}}
	refused := map[int][]int{256: {256, 1536, 3072}, 512: {512, 5120}, 1024: {1024, 9216}, 2048: {2048, 17408}, 4096: {4096, 31744}, 8192: {17408}, 16384: {36864}, 128: {512}}
	for cpu, list := range accepted {
		for _, m := range list {
			if !validFargate(cpu, m) {
				t.Errorf("%d/%d is refused", cpu, m)
			}
		}
	}
	for cpu, list := range refused {
		for _, m := range list {
			if validFargate(cpu, m) {
				t.Errorf("%d/%d is accepted", cpu, m)
			}
		}
	}
	if cpuUnits("0.25 vCPU") != 256 || mebibytes("0.5GB") != 512 {
		t.Error("the long forms are not read")
	}
}

func TestServiceLookUpTellsWhatRuns(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	k := aStack(s, nil)
	s.Must(ecsServiceType, "app", with(k.service, props{"taskDefinition": "app"}))
	got, err := s.Invoke("aws:ecs/getService:getService", props{"clusterArn": k.cluster.ID, "serviceName": "app"})
	if err != nil {
		t.Fatal(err)
	}
	if got.String("taskDefinition") != k.task.Out.String("arn") || got.Int("desiredCount") != 2 {
		t.Errorf("got %v", got)
	}
}
