package phases

import (
	"github.com/morphee-app/morphee-infra/components/aws"
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

// names are the public names. They lead into the zone at Route 53, where a second platform can be
// given a part of the traffic.
func (r *region) names() (err error) {
	c := r.cfg
	writer := r.all.writer(r).alb
	balancer := aws.EdgeTarget{Identifier: platformAws, Weight: 100, AliasName: writer.DnsName, AliasZoneID: writer.ZoneID}
	cdn := aws.EdgeTarget{Identifier: platformAws, Weight: 100, AliasName: r.frontend.DomainName, AliasZoneID: r.frontend.HostedZoneId, CloudFront: true, IPv6: true}
	names := []aws.EdgeName{
		{Host: c.Hosts.App, Targets: []aws.EdgeTarget{cdn}},
		{Host: c.Hosts.API, Targets: []aws.EdgeTarget{r.all.nearest(balancer)}, PublicCheckPath: c.Backend.HealthPath},
		{Host: c.Hosts.Auth, Targets: []aws.EdgeTarget{balancer}},
	}
	if c.Forgejo.Enabled {
		names = append(names, aws.EdgeName{Host: c.Hosts.Git, Targets: []aws.EdgeTarget{balancer}})
	}
	if host := r.gitSSH(); host != "" {
		names = append(names, aws.EdgeName{Host: host, Targets: []aws.EdgeTarget{
			{Identifier: platformAws, Weight: 100, AliasName: writer.SshDnsName, AliasZoneID: writer.SshZoneID},
		}})
	}
	if r.all != nil {
		names = append(names, aws.EdgeName{Host: c.AWS.PrimaryHost, Targets: []aws.EdgeTarget{balancer}})
	}
	for i := range names {
		names[i].WithoutPublicRecord = !c.DNS.Manage
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
