package aws

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

// syncEnd is a file system that DataSync may enter, and the inputs of its location.
func syncEnd(s *simtest.Sim, region, subnet, group string) (*cloud.Resource, props) {
	fs := s.Must(fileSystemType, region+"-files", props{"encrypted": true})
	s.Must(mountTargetType, region+"-mount", props{"fileSystemId": fs.ID, "subnetId": subnet})
	point := s.Must(accessPointType, region+"-point", props{"fileSystemId": fs.ID, "rootDirectory": props{"path": "/"}})
	return fs, props{
		"efsFileSystemArn": fs.Out["arn"], "accessPointArn": point.Out["arn"], "fileSystemAccessRoleArn": "arn:aws:iam::123456789012:role/sync", "inTransitEncryption": "TLS1_2",
		"ec2Config": props{"subnetArn": "arn:aws:ec2:" + region + ":123456789012:subnet/" + subnet, "securityGroupArns": []string{"arn:aws:ec2:" + region + ":123456789012:security-group/" + group}},
	}
}

func TestFileLocationRefusals(t *testing.T) {
	end := func(mistake func(s *simtest.Sim, n plant, in props) props) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) {
			aRole(s, "sync", "datasync.amazonaws.com")
			_, in := syncEnd(s, "eu-west-1", n.private[0], n.group)
			return in, mistake(s, n, in)
		})
	}
	network := func(subnet, group string) props {
		return props{"ec2Config": props{"subnetArn": "arn:aws:ec2:eu-west-1:123456789012:subnet/" + subnet, "securityGroupArns": []string{"arn:aws:ec2:eu-west-1:123456789012:security-group/" + group}}}
	}
	runRefusals(t, []refusal{
		{"file system of another region", efsLocationToken, "does not exist in eu-west-1", end(func(s *simtest.Sim, n plant, in props) props {
			return props{"efsFileSystemArn": s.With("aws", props{"region": far}).Must(fileSystemType, "far", props{}).Out["arn"]}
		})},
		{"file system without a mount target", efsLocationToken, "has no mount target", end(func(s *simtest.Sim, n plant, in props) props {
			return props{"efsFileSystemArn": s.Must(fileSystemType, "bare", props{}).Out["arn"]}
		})},
		{"subnet in a zone without a mount target", efsLocationToken, "Availability Zone of a mount target", end(func(s *simtest.Sim, n plant, in props) props { return network(n.private[1], n.group) })},
		{"subnet that is not there", efsLocationToken, "the subnet", end(func(s *simtest.Sim, n plant, in props) props { return network("subnet-0", n.group) })},
		{"group that is not there", efsLocationToken, "the security group", end(func(s *simtest.Sim, n plant, in props) props { return network(n.private[0], "sg-0") })},
		{"access point in plain", efsLocationToken, "needs inTransitEncryption TLS1_2", end(func(s *simtest.Sim, n plant, in props) props {
			return props{"fileSystemAccessRoleArn": nil, "inTransitEncryption": "NONE"}
		})},
		{"role in plain", efsLocationToken, "needs inTransitEncryption TLS1_2", end(func(s *simtest.Sim, n plant, in props) props {
			return props{"accessPointArn": nil, "inTransitEncryption": nil}
		})},
		{"role that DataSync may not take", efsLocationToken, "trust policy must name datasync", end(func(s *simtest.Sim, n plant, in props) props {
			return props{"fileSystemAccessRoleArn": "arn:aws:iam::123456789012:role/task"}
		})},
		{"access point of another file system", efsLocationToken, "is not one of the file system", end(func(s *simtest.Sim, n plant, in props) props {
			other := s.Must(fileSystemType, "other", props{})
			return props{"accessPointArn": s.Must(accessPointType, "other", props{"fileSystemId": other.ID}).Out["arn"]}
		})},
	})
}

func TestFileSyncTaskBetweenRegions(t *testing.T) {
	here, there := twoRegions(t)
	n := aPlant(here)
	aRole(here, "sync", "datasync.amazonaws.com")
	vpc := there.Must(vpcType, "far", props{"cidrBlock": "10.50.0.0/16"})
	subnet := there.Must(subnetType, "far", props{"vpcId": vpc.ID, "cidrBlock": "10.50.0.0/24", "availabilityZone": far + "a"})
	group := there.Must(securityGroupType, "far", props{"vpcId": vpc.ID})
	fs, in := syncEnd(here, "eu-west-1", n.private[0], n.group)
	_, out := syncEnd(there, far, subnet.ID, group.ID)
	from, to := here.Must(efsLocationToken, "from", in), there.Must(efsLocationToken, "to", out)
	matches(t, "location", from.ID, `^arn:aws:datasync:eu-west-1:123456789012:location/loc-0?[0-9a-f]{17}$`)
	matches(t, "location", to.ID, `^arn:aws:datasync:us-east-1:123456789012:location/loc-0?[0-9a-f]{17}$`)
	asked := props{"sourceLocationArn": from.ID, "destinationLocationArn": to.ID, "schedule": props{"scheduleExpression": "rate(1 hour)"}}

	for want, mistake := range map[string]props{
		"is not found":                {"sourceLocationArn": strings.Replace(from.ID, "loc-", "loc-f", 1)},
		"are the same location":       {"sourceLocationArn": to.ID, "destinationLocationArn": to.ID},
		"Invalid schedule expression": {"schedule": props{"scheduleExpression": "rate(30 minutes)"}},
		"does not exist in us-east-1": {"cloudwatchLogGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:x"},
	} {
		there.Refuses(dataSyncTaskToken, "wrong", with(asked, mistake), want)
	}
	here.With("aws", props{"region": "eu-central-1"}).Refuses(dataSyncTaskToken, "elsewhere", asked, "one of the two locations must be in eu-central-1")

	// The task may be at either end, and turns round.
	for _, s := range []*simtest.Sim{here, there} {
		deletes(t, s, s.Must(dataSyncTaskToken, "there", asked))
		deletes(t, s, s.Must(dataSyncTaskToken, "back", with(asked, props{"sourceLocationArn": to.ID, "destinationLocationArn": from.ID})))
	}

	// DataSync is root: the file system's own policy must not deny it that.
	deny := func(condition string) props {
		return props{"fileSystemId": fs.ID, "policy": allow(`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"elasticfilesystem:ClientRootAccess","Resource":"` + fs.Out.String("arn") + `"` + condition + `}`)}
	}
	policy := here.Must(fileSystemPolicy, "never", deny(""))
	here.Refuses(dataSyncTaskToken, "denied", asked, "denies DataSync's access as root")
	updates(t, here, policy, deny(`,"Condition":{"StringNotEquals":{"elasticfilesystem:AccessPointArn":"`+from.Out.String("accessPointArn")+`"}}`))
	here.Must(dataSyncTaskToken, "except DataSync", asked)
}

func TestLogPolicies(t *testing.T) {
	statement := func(principal string) props {
		return props{"policyName": "sync", "policyDocument": allow(`{"Effect":"Allow"` + principal + `,"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:eu-west-1:123456789012:log-group:sync:*"}`)}
	}
	named := statement(`,"Principal":{"Service":"datasync.amazonaws.com"}`)
	runRefusals(t, []refusal{
		{"policy for nobody", logPolicyToken, "has no Principal", fixedInputs(named, statement(""))},
		{"policy that is no JSON", logPolicyToken, "policyDocument", fixedInputs(named, props{"policyDocument": "{"})},
		{"policy whose name is taken", logPolicyToken, "would be overwritten", func(s *simtest.Sim) (props, props) {
			s.Must(logPolicyToken, "other", with(named, props{"policyName": "taken"}))
			return named, props{"policyName": "taken"}
		}},
	})
	s := edgeSim(t, "eu-west-1")
	for _, c := range "abcdefghij" {
		s.Must(logPolicyToken, string(c), with(named, props{"policyName": string(c)}))
	}
	s.Refuses(logPolicyToken, "k", named, "at most 10")
	s.With("aws", props{"region": far}).Must(logPolicyToken, "k", named)
}
