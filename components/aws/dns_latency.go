package aws

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// EdgeRegion is one region's part of a target that is in several: a client goes to the nearest that
// is well.
type EdgeRegion struct {
	// Region of AWS, such as "eu-west-1".
	Region string
	// AliasName and AliasZoneID are the load balancer's name and hosted zone.
	AliasName, AliasZoneID pulumi.StringInput
	// CheckPath that the region must answer from around the world to be given clients, asked for under
	// a name of its own (EdgeRegionHost).
	CheckPath string
}

// EdgeRegionHost is the name, in the sub-zone, of a host in one region. The load balancer there must
// answer to it.
func EdgeRegionHost(host, zone, subZone, region string) string {
	return region + "." + EdgeNameIn(host, zone, subZone)
}

func (t EdgeTarget) validateRegions(p *base.Problems, field string) {
	seen := map[string]bool{}
	for _, r := range t.Regions {
		f := field + "Regions[" + r.Region + "]"
		p.Require(regionPattern.MatchString(r.Region) && !seen[r.Region], f, r.Region, "an AWS region, each once", "")
		p.Require(r.AliasName != nil && r.AliasZoneID != nil, f, "one of the two, or neither", "AliasName and AliasZoneID", "")
		p.Require(strings.HasPrefix(r.CheckPath, "/"), f+".CheckPath", r.CheckPath, "a path starting with /", "")
		seen[r.Region] = true
	}
}

// byLatency registers the records below a target that is in several regions, and returns the target
// with an alias to them. The name's own record keeps its weight, and is only pointed elsewhere: Route
// 53 takes no second kind of routing at a name that has one.
func (c *EdgeDns) byLatency(ctx *pulumi.Context, n EdgeName, t EdgeTarget, label string) (EdgeTarget, pulumi.Resource, error) {
	name := t.Identifier + "." + label + "." + c.args.SubZone
	var last []pulumi.Resource
	for _, r := range t.Regions {
		child := c.name + "-" + label + "-" + r.Region
		host := EdgeRegionHost(n.Host, c.args.ZoneName, c.args.SubZone, r.Region)
		// The check from outside decides. To Route 53 a load balancer is ill as soon as one of its target
		// groups is empty, and what writes runs in one region only.
		alias := route53.RecordAliasArray{&route53.RecordAliasArgs{Name: r.AliasName, ZoneId: r.AliasZoneID, EvaluateTargetHealth: pulumi.Bool(false)}}
		// The region by itself, for the check from outside, and for people.
		own, err := route53.NewRecord(ctx, child+"-own", &route53.RecordArgs{
			ZoneId: c.zone.ZoneId, Name: pulumi.String(host), Type: pulumi.String("A"), Aliases: alias,
		}, pulumi.Parent(c))
		if err != nil {
			return t, nil, err
		}
		check, err := c.healthCheck(ctx, child+"-check", host, r.CheckPath, nil)
		if err != nil {
			return t, nil, err
		}
		c.HealthChecks[host] = check.ID().ToStringOutput()
		record, err := route53.NewRecord(ctx, child+"-latency", &route53.RecordArgs{
			ZoneId: c.zone.ZoneId, Name: pulumi.String(name), Type: pulumi.String("A"), SetIdentifier: pulumi.String(r.Region),
			LatencyRoutingPolicies: route53.RecordLatencyRoutingPolicyArray{&route53.RecordLatencyRoutingPolicyArgs{Region: pulumi.String(r.Region)}},
			HealthCheckId:          check.ID().ToStringOutput().ToStringPtrOutput(), Aliases: alias,
		}, pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{own}))
		if err != nil {
			return t, nil, err
		}
		last = append(last, record)
	}
	t.AliasName, t.AliasZoneID = pulumi.String(name), c.zone.ZoneId
	return t, last[0], nil
}
