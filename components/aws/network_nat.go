package aws

import (
	_ "embed" // the first-boot script
	"encoding/base64"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

//go:embed files/nat-instance.sh
var natInstanceScript string

// natInstanceImage is resolved by EC2 when the instance is launched, so that no look-up is needed
// here and a new image does not replace a running instance.
const natInstanceImage = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"

// nat registers the way out that was chosen and says, for each zone, where its private default route
// goes. publicOut must exist before.
func (n *networkBuilder) nat(publicOut pulumi.Resource) error {
	n.natTarget = map[string]func(*ec2.RouteArgs){}
	addresses := pulumi.StringArray{}
	switch n.args.Nat {
	case NatNone:
	case NatInstance:
		eni, ip, err := n.natInstance(publicOut)
		if err != nil {
			return err
		}
		addresses = append(addresses, ip)
		for _, s := range n.c.Private {
			n.natTarget[s.Letter] = func(r *ec2.RouteArgs) { r.NetworkInterfaceId = eni }
		}
	case NatSingle, NatPerZone:
		public := n.c.Public
		if n.args.Nat == NatSingle {
			public = public[:1]
		}
		var last pulumi.StringPtrInput
		for i, s := range n.c.Public {
			if i < len(public) {
				id, ip, err := n.natGateway(s, publicOut)
				if err != nil {
					return err
				}
				addresses, last = append(addresses, ip), id
			}
			id := last
			n.natTarget[s.Letter] = func(r *ec2.RouteArgs) { r.NatGatewayId = id }
		}
	}
	n.c.NatPublicIPs = addresses.ToStringArrayOutput()
	return nil
}

func (n *networkBuilder) natGateway(s ZoneSubnet, publicOut pulumi.Resource) (pulumi.StringPtrInput, pulumi.StringOutput, error) {
	child := n.name + "-nat-" + s.Letter
	eip, err := ec2.NewEip(n.ctx, child+"-ip", &ec2.EipArgs{
		Domain: pulumi.String("vpc"), Tags: n.args.Tags.Pulumi("Name", child),
	}, pulumi.Parent(n.c), pulumi.DependsOn([]pulumi.Resource{publicOut}))
	if err != nil {
		return nil, pulumi.StringOutput{}, err
	}
	gateway, err := ec2.NewNatGateway(n.ctx, child, &ec2.NatGatewayArgs{
		AllocationId: eip.ID(), SubnetId: s.ID, ConnectivityType: pulumi.String("public"), Tags: n.args.Tags.Pulumi("Name", child),
	}, pulumi.Parent(n.c), pulumi.DependsOn([]pulumi.Resource{publicOut}))
	if err != nil {
		return nil, pulumi.StringOutput{}, err
	}
	return gateway.ID().ToStringOutput().ToStringPtrOutput(), eip.PublicIp, nil
}

// natInstance registers a small instance that forwards for all zones. Its network interface and
// address are resources of their own: they outlive the instance, and routes go on pointing at them.
func (n *networkBuilder) natInstance(publicOut pulumi.Resource) (pulumi.StringPtrInput, pulumi.StringOutput, error) {
	child, parent := n.name+"-nat-instance", pulumi.Parent(n.c)
	fail := func(err error) (pulumi.StringPtrInput, pulumi.StringOutput, error) {
		return nil, pulumi.StringOutput{}, err
	}
	group, err := closedGroup(n.ctx, child+"-sg", "NAT instance: forwards for the VPC", n.c.VpcID, n.args.Tags, n.c)
	if err != nil {
		return fail(err)
	}
	if _, err := vpc.NewSecurityGroupIngressRule(n.ctx, child+"-sg-vpc-in", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: group.ID(), CidrIpv4: pulumi.String(n.c.VpcCidr), IpProtocol: pulumi.String("-1"),
		Description: pulumi.String("What private subnets send to the internet"), Tags: n.args.Tags.Pulumi("Name", child+"-sg-vpc-in"),
	}, parent); err != nil {
		return fail(err)
	}
	if _, err := vpc.NewSecurityGroupEgressRule(n.ctx, child+"-sg-out", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(), CidrIpv4: pulumi.String(anywhere), IpProtocol: pulumi.String("-1"),
		Description: pulumi.String("Forwarded to the internet"), Tags: n.args.Tags.Pulumi("Name", child+"-sg-out"),
	}, parent); err != nil {
		return fail(err)
	}
	eni, err := ec2.NewNetworkInterface(n.ctx, child+"-interface", &ec2.NetworkInterfaceArgs{
		SubnetId: n.c.Public[0].ID, SecurityGroups: pulumi.StringArray{group.ID()}, SourceDestCheck: pulumi.Bool(false),
		Description: pulumi.String("NAT instance"), Tags: n.args.Tags.Pulumi("Name", child+"-interface"),
	}, parent)
	if err != nil {
		return fail(err)
	}
	eip, err := ec2.NewEip(n.ctx, child+"-ip", &ec2.EipArgs{
		Domain: pulumi.String("vpc"), NetworkInterface: eni.ID().ToStringOutput().ToStringPtrOutput(), Tags: n.args.Tags.Pulumi("Name", child),
	}, parent, pulumi.DependsOn([]pulumi.Resource{publicOut}))
	if err != nil {
		return fail(err)
	}
	profile, err := n.natInstanceProfile(child)
	if err != nil {
		return fail(err)
	}
	template, err := ec2.NewLaunchTemplate(n.ctx, child+"-template", &ec2.LaunchTemplateArgs{
		ImageId:  pulumi.String(natInstanceImage),
		UserData: pulumi.String(base64.StdEncoding.EncodeToString([]byte(natInstanceScript))),
		MetadataOptions: &ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String("required"), HttpPutResponseHopLimit: pulumi.Int(1),
		},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{&ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String("/dev/xvda"),
			Ebs: &ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				Encrypted: pulumi.String("true"), VolumeType: pulumi.String("gp3"), VolumeSize: pulumi.Int(8), DeleteOnTermination: pulumi.String("true"),
			},
		}},
		UpdateDefaultVersion: pulumi.Bool(true),
		Tags:                 n.args.Tags.Pulumi("Name", child+"-template"),
	}, parent)
	if err != nil {
		return fail(err)
	}
	instance, err := ec2.NewInstance(n.ctx, child, &ec2.InstanceArgs{
		InstanceType:       pulumi.String(n.args.NatInstanceType),
		IamInstanceProfile: profile.Name,
		LaunchTemplate:     &ec2.InstanceLaunchTemplateArgs{Id: template.ID().ToStringOutput().ToStringPtrOutput(), Version: pulumi.String("$Latest")},
		NetworkInterfaces: ec2.InstanceNetworkInterfaceArray{&ec2.InstanceNetworkInterfaceArgs{
			DeviceIndex: pulumi.Int(0), NetworkInterfaceId: eni.ID(),
		}},
		Monitoring: pulumi.Bool(true),
		Tags:       n.args.Tags.Pulumi("Name", child),
		// Two instances cannot hold one network interface. And it cannot work before it has an address.
	}, parent, pulumi.DeleteBeforeReplace(true), pulumi.DependsOn([]pulumi.Resource{eip, publicOut}))
	if err != nil {
		return fail(err)
	}
	n.c.ready = append(n.c.ready, instance)
	return eni.ID().ToStringOutput().ToStringPtrOutput(), eip.PublicIp, nil
}

// natInstanceProfile lets Systems Manager reach the instance: there is no SSH.
func (n *networkBuilder) natInstanceProfile(child string) (*iam.InstanceProfile, error) {
	trust, err := PolicyDocument(Statement{Sid: "Assume", Actions: []string{"sts:AssumeRole"}, Services: []string{"ec2.amazonaws.com"}})
	if err != nil {
		return nil, err
	}
	role, err := iam.NewRole(n.ctx, child+"-role", &iam.RoleArgs{
		Description: pulumi.String("NAT instance: Systems Manager only"), AssumeRolePolicy: trust, Tags: n.args.Tags.Pulumi("Name", child+"-role"),
	}, pulumi.Parent(n.c))
	if err != nil {
		return nil, err
	}
	if _, err := iam.NewRolePolicyAttachment(n.ctx, child+"-role-ssm", &iam.RolePolicyAttachmentArgs{
		Role: role.Name, PolicyArn: pulumi.String("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"),
	}, pulumi.Parent(n.c)); err != nil {
		return nil, err
	}
	return iam.NewInstanceProfile(n.ctx, child+"-profile", &iam.InstanceProfileArgs{
		Role: role.Name, Tags: n.args.Tags.Pulumi("Name", child+"-profile"),
	}, pulumi.Parent(n.c))
}
