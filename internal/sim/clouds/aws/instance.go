package aws

import (
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var (
	imageID   = regexp.MustCompile(`^ami-([0-9a-f]{8}|[0-9a-f]{17})$`)
	ec2Class  = regexp.MustCompile(`^(t2|t3|t3a|t4g|m[4-8](a|g|i|gd|id|idn|zn|ad|in|i-flex)?|c[4-8](a|g|i|gd|gn|id|in|n|ad)?|r[4-8](a|g|i|b|gd|id|n|ad|in)?|x2(gd|idn|iedn)|i[34](en|g|i|ie)?|a1|z1d)\.(nano|micro|small|medium|large|xlarge|\d{1,2}xlarge|metal)$`)
	burstable = []string{"nano", "micro", "small", "medium", "large", "xlarge", "2xlarge"}
)

// validClass tells whether EC2 has the instance type.
func validClass(name string) bool {
	if !ec2Class.MatchString(name) {
		return false
	}
	family, size, _ := strings.Cut(name, ".")
	if strings.HasPrefix(family, "t") {
		return slices.Contains(burstable, size)
	}
	return size != "nano" && size != "micro" && size != "small"
}

func instance() cloud.Type {
	return cloud.Type{
		Token: instanceType,
		Check: func(c *cloud.CheckCall) {
			if v := c.In.String("ami"); v != "" && !imageID.MatchString(v) && !strings.HasPrefix(v, "resolve:ssm:") {
				c.Fail("ami", "api error InvalidAMIID.Malformed: Invalid id: \"%s\" (expecting \"ami-...\")", v)
			}
		},
		Create: createInstance,
		Update: func(c *cloud.Call) error {
			if v := c.In.String("instanceType"); v != "" && !validClass(v) {
				return ec2("ModifyInstanceAttribute", "InvalidInstanceType", "The following supplied instance types do not exist: [%s]", v)
			}
			return instanceGroups(c, "ModifyInstanceAttribute", c.Find(subnetType, c.Out.String("subnetId")))
		},
		Delete: func(c *cloud.Call) error {
			if c.Old.Bool("disableApiTermination") {
				return ec2("TerminateInstances", "OperationNotPermitted", "The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.", c.ID)
			}
			return nil
		},
		Replaces: func(old, new cloud.Object) []string {
			var out []string
			for _, key := range []string{"userData", "userDataBase64"} {
				if new.Bool("userDataReplaceOnChange") && !cloud.Equal(old.Get(key), new.Get(key)) {
					out = append(out, key)
				}
			}
			const version = "launchTemplate.version"
			if new.Known(version) && old.Has(version) && old.String(version) != new.String(version) {
				out = append(out, version)
			}
			return out
		},
		Takes: cloud.Durations{Create: seconds(35), Update: seconds(60), Delete: seconds(50)},
	}
}

func createInstance(c *cloud.Call) error {
	const op = "RunInstances"
	if v := c.In.String("instanceType"); v != "" && !validClass(v) {
		return ec2(op, "InvalidParameterValue", "Invalid value '%s' for InstanceType.", v)
	}
	if err := fromTemplate(c, op); err != nil {
		return err
	}
	id := c.In.String("subnetId")
	if nic := c.In.Objects("networkInterfaces"); len(nic) > 0 {
		at := c.Find(networkInterfaceType, nic[0].String("networkInterfaceId"))
		if at == nil {
			return ec2(op, "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", nic[0].String("networkInterfaceId"))
		}
		for _, other := range c.All(instanceType) {
			for _, used := range other.Out.Objects("networkInterfaces") {
				if used.String("networkInterfaceId") == at.ID {
					return ec2(op, "InvalidNetworkInterface.InUse", "Interface: [%s] in use.", at.ID)
				}
			}
		}
		id = at.Out.String("subnetId")
		c.Out["privateIp"], c.Out["primaryNetworkInterfaceId"] = at.Out["privateIp"], at.ID
	}
	if id == "" {
		return ec2(op, "VPCIdNotSpecified", "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.")
	}
	s := c.Find(subnetType, id)
	if s == nil {
		return ec2(op, "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
	}
	if err := instanceGroups(c, op, s); err != nil {
		return err
	}
	if key := c.In.String("keyName"); key != "" && byProperty(c.All("aws:ec2/keyPair:KeyPair"), "keyName", key) == nil {
		return ec2(op, "InvalidKeyPair.NotFound", "The key pair '%s' does not exist", key)
	}
	if p := c.In.String("iamInstanceProfile"); p != "" && byProperty(c.Everywhere("aws:iam/instanceProfile:InstanceProfile"), "name", p) == nil {
		return ec2(op, "InvalidParameterValue", "Value (%s) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name", p)
	}
	if want := c.In.String("privateIp"); want != "" && !usableAddress(want, s) {
		return ec2(op, "InvalidParameterValue", "Address %s does not fall within the subnet's address range", want)
	} else if want != "" && addressTaken(c, want, s.ID) {
		return ec2(op, "InvalidIPAddress.InUse", "Address %s is in use.", want)
	}
	c.ID = ec2ID(c.Gen, "i")
	c.Out["arn"] = arn("ec2", c.Scope, "instance/"+c.ID)
	c.Out["subnetId"], c.Out["availabilityZone"] = s.ID, s.Out["availabilityZone"]
	if len(c.In.Objects("networkInterfaces")) == 0 {
		computed(c, "privateIp", freeAddress(c, "instance", s))
	}
	c.Out["privateDns"] = privateName(c.Scope, c.Out.String("privateIp"))
	if len(c.In.Objects("networkInterfaces")) == 0 {
		c.Out["primaryNetworkInterfaceId"] = ec2ID(c.Gen, "eni")
	}
	c.Out["instanceState"] = "running"
	c.Out["publicIp"], c.Out["publicDns"], c.Out["passwordData"], c.Out["outpostArn"] = "", "", "", ""
	c.Out["instanceLifecycle"], c.Out["spotInstanceRequestId"] = "", ""
	computed(c, "associatePublicIpAddress", s.Out.Bool("mapPublicIpOnLaunch"))
	if c.Out.Bool("associatePublicIpAddress") {
		address := publicAddress(c)
		c.Out["publicIp"] = address
		c.Out["publicDns"] = "ec2-" + strings.ReplaceAll(address, ".", "-") + "." + computeDomain(c.Scope)
	}
	computed(c, "tenancy", "default")
	computed(c, "monitoring", false)
	computed(c, "instanceInitiatedShutdownBehavior", "stop")
	if !c.In.Has("vpcSecurityGroupIds") && len(c.In.Objects("networkInterfaces")) == 0 {
		computed(c, "vpcSecurityGroupIds", defaultGroup(c, s.Out.String("vpcId")))
	}
	return nil
}

// fromTemplate takes from the launch template what the instance leaves out.
func fromTemplate(c *cloud.Call, op string) error {
	given := c.In.Object("launchTemplate")
	if given == nil {
		return nil
	}
	t := c.Find(launchTemplateType, given.String("id"))
	if name := given.String("name"); name != "" {
		t = byProperty(c.All(launchTemplateType), "name", name)
	}
	if t == nil {
		return ec2(op, "InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", orText(given.String("id"), given.String("name")))
	}
	if !c.In.Has("ami") && !t.Out.Has("imageId") {
		return ec2(op, "MissingParameter", "The request must contain the parameter ImageId")
	}
	image := t.Out.String("imageId")
	if strings.HasPrefix(image, "resolve:") {
		image = "ami-0" + fixed(16, c.Scope, image)
	}
	computed(c, "ami", image)
	computed(c, "instanceType", t.Out.String("instanceType"))
	return nil
}

func instanceGroups(c *cloud.Call, op string, s *cloud.Resource) error {
	if s == nil {
		return nil
	}
	vpc := s.Out.String("vpcId")
	if g, _ := misplacedGroup(c.World, c.Scope, c.In.Strings("vpcSecurityGroupIds"), vpc); g != "" {
		return ec2(op, "InvalidGroup.NotFound", "The security group '%s' does not exist in VPC '%s'", g, vpc)
	}
	return nil
}

// interfaceExists tells whether a network interface exists, an instance's primary one included.
func interfaceExists(c *cloud.Call, id string) bool { return interfaceVPC(c, id) != "" }

// interfaceVPC returns the VPC of a network interface, or "" when there is none such.
func interfaceVPC(c *cloud.Call, id string) string {
	at := c.Find(networkInterfaceType, id)
	if at == nil {
		at = byProperty(c.All(instanceType), "primaryNetworkInterfaceId", id)
	}
	if at == nil {
		return ""
	}
	if s := c.Find(subnetType, at.Out.String("subnetId")); s != nil {
		return s.Out.String("vpcId")
	}
	return ""
}

func networkInterface() cloud.Type {
	return cloud.Type{
		Token: networkInterfaceType,
		Create: func(c *cloud.Call) error {
			const op = "CreateNetworkInterface"
			s := c.Find(subnetType, c.In.String("subnetId"))
			if s == nil {
				return ec2(op, "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", c.In.String("subnetId"))
			}
			vpc := s.Out.String("vpcId")
			if g, _ := misplacedGroup(c.World, c.Scope, c.In.Strings("securityGroups"), vpc); g != "" {
				return ec2(op, "InvalidGroup.NotFound", "The security group '%s' does not exist in VPC '%s'", g, vpc)
			}
			for _, want := range append(c.In.Strings("privateIps"), c.In.Strings("privateIpLists")...) {
				if !usableAddress(want, s) {
					return ec2(op, "InvalidParameterValue", "Address %s does not fall within the subnet's address range", want)
				}
				if addressTaken(c, want, s.ID) {
					return ec2(op, "InvalidIPAddress.InUse", "Address %s is in use.", want)
				}
			}
			c.ID = ec2ID(c.Gen, "eni")
			c.Out["arn"] = arn("ec2", c.Scope, "network-interface/"+c.ID)
			c.Out["ownerId"], c.Out["outpostArn"] = accountID, ""
			address := freeAddress(c, "eni", s)
			if given := append(c.In.Strings("privateIpLists"), c.In.Strings("privateIps")...); len(given) > 0 {
				address = given[0]
			}
			computed(c, "privateIp", address)
			computed(c, "privateIps", []string{c.Out.String("privateIp")})
			computed(c, "privateIpLists", []string{c.Out.String("privateIp")})
			c.Out["privateDnsName"] = privateName(c.Scope, c.Out.String("privateIp"))
			h := c.Gen.Hex("mac", 10)
			c.Out["macAddress"] = "0a:" + h[:2] + ":" + h[2:4] + ":" + h[4:6] + ":" + h[6:8] + ":" + h[8:]
			computed(c, "interfaceType", "interface")
			computed(c, "securityGroups", defaultGroup(c, vpc))
			return nil
		},
		Replaces: func(old, new cloud.Object) []string {
			if new.Bool("privateIpListEnabled") {
				a, b := old.Strings("privateIpLists"), new.Strings("privateIpLists")
				if len(a) > 0 && len(b) > 0 && a[0] != b[0] {
					return []string{"privateIpLists"}
				}
				return nil
			}
			if a, b := old.Strings("privateIps"), new.Strings("privateIps"); len(a) > 0 && new.Known("privateIps") && !slices.Contains(b, a[0]) {
				return []string{"privateIps"}
			}
			return nil
		},
		InUse: []cloud.Ref{{Type: instanceType, Path: "networkInterfaces.*.networkInterfaceId", Error: func(self, by *cloud.Resource) error {
			return ec2("DeleteNetworkInterface", "InvalidParameterValue", "Network interface '%s' is currently in use.", self.ID)
		}}},
		Takes: cloud.Durations{Create: seconds(2), Delete: seconds(2)},
	}
}

var templateName = regexp.MustCompile(`^[a-zA-Z0-9()./_-]{3,128}$`)

func launchTemplate() cloud.Type {
	return cloud.Type{
		Token: launchTemplateType,
		Create: func(c *cloud.Call) error {
			const op = "CreateLaunchTemplate"
			if name := c.In.String("name"); name != "" && !templateName.MatchString(name) {
				return ec2(op, "InvalidLaunchTemplateName.MalformedException", "Launch template names must be between 3 and 128 characters long, and may contain letters, numbers, and the following characters: - ( ) . / _")
			}
			if c.Clash("name") != nil {
				return ec2(op, "InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
			}
			if v := c.In.String("imageId"); v != "" && !imageID.MatchString(v) && !strings.HasPrefix(v, "resolve:ssm:") {
				return ec2(op, "InvalidAMIID.Malformed", "The image ID '%s' is not valid. The expected format is ami-xxxxxxxx or ami-xxxxxxxxxxxxxxxxx.", v)
			}
			c.ID = ec2ID(c.Gen, "lt")
			c.Out["arn"] = arn("ec2", c.Scope, "launch-template/"+c.ID)
			c.Out["latestVersion"] = 1.0
			computed(c, "defaultVersion", 1)
			return nil
		},
		Update: func(c *cloud.Call) error {
			c.Out["latestVersion"] = c.Out.Float("latestVersion") + 1
			if c.In.Bool("updateDefaultVersion") {
				c.Out["defaultVersion"] = c.Out["latestVersion"]
			}
			return nil
		},
		Recomputed: map[string][]string{"*": {"latestVersion"}},
	}
}
