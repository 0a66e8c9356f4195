package mutation

import "slices"

// All are the mutants, by pack.
func All() []Mutant { return slices.Concat(isolation, secrets, durability, hygiene) }

type (
	m = map[string]any
	l = []any
)

// open is a policy statement for everybody.
var open = m{"Sid": "Everybody", "Effect": "Allow", "Principal": "*", "Action": "sts:Nothing", "Resource": "*"}

// openPolicy is the same as a document.
const openPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"Everybody","Effect":"Allow","Principal":"*","Action":"sts:Nothing","Resource":"arn:aws:x"}]}`

// tagged are the tags that everything needs.
func tagged(more m) m {
	more["tags"] = m{"project": "morphee", "stack": "prod", "phase": "3", "owner": "platform"}
	return more
}

const (
	subnet   = "aws:ec2/subnet:Subnet"
	service  = "aws:ecs/service:Service"
	schedule = "aws:scheduler/schedule:Schedule"
	ingress  = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	group    = "aws:ec2/securityGroup:SecurityGroup"
	alb      = "aws:lb/loadBalancer:LoadBalancer"
	listener = "aws:lb/listener:Listener"
	cdn      = "aws:cloudfront/distribution:Distribution"
	bucket   = "aws:s3/bucketV2:BucketV2"
	policy   = "aws:s3/bucketPolicy:BucketPolicy"
	instance = "aws:rds/instance:Instance"
	cluster  = "aws:rds/cluster:Cluster"
	efs      = "aws:efs/fileSystem:FileSystem"
	access   = "aws:efs/accessPoint:AccessPoint"
	cache    = "aws:elasticache/replicationGroup:ReplicationGroup"
	task     = "aws:ecs/taskDefinition:TaskDefinition"
	docker   = "docker:index/container:Container"
	volume   = "docker:index/volume:Volume"
	server   = "hcloud:index/server:Server"
	firewall = "hcloud:index/firewall:Firewall"
	address  = "hcloud:index/primaryIp:PrimaryIp"
	password = "random:index/randomPassword:RandomPassword"
	secret   = "aws:secretsmanager/secret:Secret"
	role     = "aws:iam/role:Role"
	rights   = "aws:iam/rolePolicy:RolePolicy"
	key      = "aws:kms/key:Key"
	images   = "aws:ecr/repository:Repository"
	life     = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	vault    = "aws:backup/vault:Vault"
	plan     = "aws:backup/plan:Plan"
	logGroup = "aws:cloudwatch/logGroup:LogGroup"
	token    = "vT9qLx2RbW7nKd4ZsY8cHf3J" // looks like a secret, written for this
)
