package phases

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
	"github.com/morphee-app/morphee-infra/components/cloudflare"
)

// platformAws tells the records of this platform apart from those of another that may answer for the
// same names while traffic moves.
const platformAws = "aws"

// site is the web application.
func (r *region) site() (err error) {
	c := r.cfg
	r.frontend, err = aws.NewStaticSite(r.ctx, r.name("site"), &aws.StaticSiteArgs{
		Domains: []string{c.Hosts.App}, ZoneID: r.zoneID, UsEast1: r.providers.UsEast1,
		ContentSecurityPolicy: contentSecurityPolicy(c.Hosts), PriceClass: c.AWS.CDN.PriceClass,
		LogRetentionDays: c.AWS.CDN.LogRetentionDays, PreviousVersionDays: c.AWS.CDN.VersionRetentionDays,
		Disposable: c.Disposable, Tags: r.in.Tags(),
	}, r.here())
	if err != nil {
		return err
	}
	r.outputs["appUrl"], r.outputs["siteBucket"], r.outputs["distributionId"] = r.frontend.Url, r.frontend.BucketName, r.frontend.DistributionId
	return nil
}

// names are where the public names lead: records in the zone at Route 53, where a second platform can
// be given a part of the traffic.
func (r *region) names() (err error) {
	c := r.cfg
	writer := r.all.writer(r).alb
	weight := 100
	if r.beside != nil {
		weight = c.Migration.AWSWeight
	}
	balancer := aws.EdgeTarget{Identifier: platformAws, Weight: weight, AliasName: writer.DnsName, AliasZoneID: writer.ZoneID}
	cdn := aws.EdgeTarget{Identifier: platformAws, Weight: weight, AliasName: r.frontend.DomainName, AliasZoneID: r.frontend.HostedZoneId, CloudFront: true, IPv6: true}
	var names []aws.EdgeName
	for _, host := range c.PublicNames() { // these have records of their own at Cloudflare, see publicNames
		name, target := aws.EdgeName{Host: host, WithoutPublicRecord: true}, balancer
		switch host {
		case c.Hosts.App:
			target = cdn
		case c.Hosts.API:
			target, name.PublicCheckPath = r.all.nearest(balancer), c.Backend.HealthPath
		}
		name.Targets = append([]aws.EdgeTarget{target}, r.besides(host)...)
		names = append(names, name)
	}
	if host := r.gitSSH(); host != "" {
		names = append(names, aws.EdgeName{Host: host, Targets: []aws.EdgeTarget{
			{Identifier: platformAws, Weight: 100, AliasName: writer.SshDnsName, AliasZoneID: writer.SshZoneID},
		}})
	}
	if r.all != nil {
		names = append(names, aws.EdgeName{Host: c.AWS.PrimaryHost, Targets: []aws.EdgeTarget{balancer}})
	}
	r.edge, err = aws.NewEdgeDns(r.ctx, r.name("dns"), &aws.EdgeDnsArgs{
		ZoneID: r.zoneID, ZoneName: c.DNS.Zone, SubZone: c.AWS.SubZone, Names: names, TTLSeconds: c.DNS.TTLSeconds,
		Disposable: c.Disposable, Tags: r.in.Tags(),
	}, r.here())
	if err != nil {
		return err
	}
	r.outputs["subZoneNameServers"] = r.edge.NameServers
	return nil
}

// publicNames lead into the zone at Route 53. In stacks from before they had a component of their own,
// their records were among the zone's.
func (r *region) publicNames() error {
	c := r.cfg
	var names []cloudflare.PublicName
	for _, host := range c.PublicNames() {
		inside := aws.EdgeNameIn(host, c.DNS.Zone, c.AWS.SubZone)
		names = append(names, cloudflare.PublicName{Host: host, Target: inside, Aliases: []pulumi.Alias{{
			Name: pulumi.String(r.name("dns") + "-" + strings.TrimSuffix(inside, "."+c.AWS.SubZone)), Parent: r.edge,
		}}})
	}
	_, err := publicNames(r.ctx, r.in, r.zoneID, names, []pulumi.Resource{r.edge})
	return err
}
