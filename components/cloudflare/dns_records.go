package cloudflare

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// DnsRecordsType is the type token of DnsRecords.
const DnsRecordsType = "morphee:cloudflare:DnsRecords"

// automaticTTL is how Cloudflare writes "you choose"; the only value a proxied record takes.
const automaticTTL = 1

var hostPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)

// DnsHost is one name of a server.
type DnsHost struct {
	// Name is the full name, such as "api.morphee.app"; it must lie in the zone. Replaces its records.
	Name string
	// Proxied sends HTTP through Cloudflare. It hides the server, and breaks all that is not HTTP:
	// git over SSH included.
	Proxied bool
	// IPv4 and IPv6, when not nil, are the addresses of this name, instead of the common ones.
	IPv4, IPv6 pulumi.StringInput
}

// DnsRecordsArgs describes names of one zone that point to one server.
type DnsRecordsArgs struct {
	// AccountID is Cloudflare's account, 32 hexadecimal digits. Only needed without ZoneID.
	AccountID string
	// ZoneID is Cloudflare's id of the zone, 32 hexadecimal digits; empty looks it up by name.
	// Replaces the records.
	ZoneID string
	// ZoneName is the zone, such as "morphee.app".
	ZoneName string
	// Hosts are the names; at least one, no duplicates.
	Hosts []DnsHost
	// IPv4 is the address of the A records.
	IPv4 pulumi.StringInput
	// IPv6, when not nil, is the address of AAAA records.
	IPv6 pulumi.StringInput
	// TTLSeconds of records that are not proxied: 60 to 86400. Default 300. Proxied ones are
	// always automatic.
	TTLSeconds int
	// Tags go into the records' comment.
	Tags base.Tags
}

// DnsRecords are the names of a server's addresses in a Cloudflare zone. What people use are names of
// their own that lead to these: see PublicNames.
type DnsRecords struct {
	pulumi.ResourceState

	// Names that point to the server, in the order of Hosts.
	Names pulumi.StringArrayOutput
	// ZoneID of the zone they are in.
	ZoneID pulumi.StringOutput
}

func (a *DnsRecordsArgs) validate(name string) error {
	p := base.Check("DnsRecords", name)
	p.Require(a.ZoneID == "" || hex32Pattern.MatchString(a.ZoneID), "ZoneID", fmt.Sprintf("%q", a.ZoneID), "32 hexadecimal digits", "dns.zoneId")
	p.Require(a.ZoneID != "" || hex32Pattern.MatchString(a.AccountID), "AccountID", fmt.Sprintf("%q", a.AccountID), "32 hexadecimal digits, or a ZoneID", "cloudflareAccountId")
	p.Require(hostPattern.MatchString(a.ZoneName), "ZoneName", fmt.Sprintf("%q", a.ZoneName), `a zone such as "morphee.app"`, "dns.zone")
	p.Require(a.TTLSeconds == 0 || a.TTLSeconds >= 60 && a.TTLSeconds <= 86400, "TTLSeconds", a.TTLSeconds, "60 to 86400", "dns.ttlSeconds")
	p.Require(a.IPv4 != nil, "IPv4", "nothing", "an address", "")
	p.Require(len(a.Hosts) > 0, "Hosts", "none", "at least one", "hosts")
	seen := map[string]bool{}
	for i, h := range a.Hosts {
		requireHost(p, fmt.Sprintf("Hosts[%d]", i), h.Name, a.ZoneName, seen)
	}
	return p.Err()
}

// requireHost records a problem unless the name is in the zone and not among those seen, which it joins.
func requireHost(p *base.Problems, field, name, zone string, seen map[string]bool) {
	got := fmt.Sprintf("%q", name)
	in := name == zone || strings.HasSuffix(name, "."+zone)
	p.Require(hostPattern.MatchString(name) && in, field, got, "a name in the zone "+zone, "hosts")
	p.Require(!seen[name], field, got+" again", "every name once", "hosts")
	seen[name] = true
}

// NewDnsRecords registers the records.
func NewDnsRecords(ctx *pulumi.Context, name string, args *DnsRecordsArgs, opts ...pulumi.ResourceOption) (*DnsRecords, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &DnsRecords{}
	if err := ctx.RegisterComponentResourceV2(DnsRecordsType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	c.ZoneID = pulumi.String(args.ZoneID).ToStringOutput()
	if args.ZoneID == "" {
		zone := cloudflare.LookupZoneOutput(ctx, cloudflare.LookupZoneOutputArgs{
			AccountId: pulumi.String(args.AccountID),
			Name:      pulumi.String(args.ZoneName),
		}, pulumi.Parent(c))
		c.ZoneID = zone.ZoneId()
	}
	names := pulumi.StringArray{}
	for _, host := range args.Hosts {
		ipv4, ipv6 := args.IPv4, args.IPv6
		if host.IPv4 != nil {
			ipv4, ipv6 = host.IPv4, host.IPv6
		}
		record, err := c.record(ctx, name, args, host, "A", ipv4)
		if err != nil {
			return nil, err
		}
		names = append(names, record.Hostname)
		if ipv6 == nil {
			continue
		}
		if _, err := c.record(ctx, name, args, host, "AAAA", ipv6); err != nil {
			return nil, err
		}
	}
	c.Names = names.ToStringArrayOutput()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"names": c.Names, "zoneId": c.ZoneID})
}

func (c *DnsRecords) record(ctx *pulumi.Context, name string, args *DnsRecordsArgs, host DnsHost, kind string, address pulumi.StringInput) (*cloudflare.Record, error) {
	ttl := args.TTLSeconds
	if ttl == 0 {
		ttl = 300
	}
	if host.Proxied {
		ttl = automaticTTL
	}
	logical := name + "-" + strings.ReplaceAll(host.Name, ".", "-") + "-" + strings.ToLower(kind)
	return cloudflare.NewRecord(ctx, logical, &cloudflare.RecordArgs{
		ZoneId:  c.ZoneID,
		Name:    pulumi.String(labelIn(host.Name, args.ZoneName)),
		Type:    pulumi.String(kind),
		Content: address,
		Ttl:     pulumi.Int(ttl),
		Proxied: pulumi.Bool(host.Proxied),
		Comment: comment(args.Tags),
		// A record somebody made by hand is not ours to overwrite.
		AllowOverwrite: pulumi.Bool(false),
	}, pulumi.Parent(c))
}
