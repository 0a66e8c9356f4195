package aws

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// EdgeDnsType is the type token of EdgeDns.
const EdgeDnsType = "morphee:aws:EdgeDns"

// EdgeDnsArgs are the decisions about the public names, and where each leads.
type EdgeDnsArgs struct {
	// ZoneID is the Cloudflare zone's id; required.
	ZoneID pulumi.StringInput
	// ZoneName is the zone at Cloudflare, such as "morphee.app". Replaces every record.
	ZoneName string
	// SubZone is the zone delegated to Route 53, below ZoneName, such as "aws.morphee.app". Replaces
	// the zone and every record in it.
	SubZone string
	// Names are the public names; at least one.
	Names []EdgeName
	// TTLSeconds is how long a resolver may remember an answer, 60 to 86400; default 60, which is
	// also the longest that a move of traffic lags behind the change of a weight.
	TTLSeconds int
	// Disposable leaves the zone unprotected and lets it be deleted with foreign records in it.
	Disposable bool
	Tags       base.Tags
}

// EdgeName is one public name: a CNAME at Cloudflare to a name in the sub-zone, which has one
// record for each target.
type EdgeName struct {
	// Host is the public name, such as "api.morphee.app". Its name in the sub-zone follows from it.
	Host string
	// Targets are the platforms or regions that may answer; at least one. Adding or removing one
	// leaves the others as they are.
	Targets []EdgeTarget
	// ByLatency sends a client to the nearest target instead of going by weight. Every target then
	// needs a Region.
	ByLatency bool
	// PublicCheckPath, when set, has Route 53 ask https://Host/PublicCheckPath from around the world.
	// It decides nothing; it is for Alarms.
	PublicCheckPath string
	// WithoutPublicRecord leaves out the CNAME, while the name at Cloudflare still leads elsewhere.
	WithoutPublicRecord bool
}

// EdgeTarget is one place that can answer for a name: either an AWS alias, or addresses.
type EdgeTarget struct {
	// Identifier tells the targets of a name apart, such as "aws", "vps", "eu-west-1"; up to 40 lower
	// case letters, digits, hyphens.
	Identifier string
	// Weight is the share of the traffic, 0 to 100, of the sum of all weights. 0 sends none.
	Weight int
	// Region is the AWS region nearest to the target; only with ByLatency.
	Region string
	// AliasName and AliasZoneID are an AWS load balancer's or distribution's name and hosted zone.
	AliasName, AliasZoneID pulumi.StringInput
	// CloudFront says that the alias is a distribution, whose health Route 53 cannot evaluate.
	CloudFront bool
	// Address is an IPv4 address, when the target is not an alias.
	Address pulumi.StringInput
	// IPv6 says that an alias answers over IPv6 too; AddressV6 is the IPv6 address otherwise.
	IPv6      bool
	AddressV6 pulumi.StringInput
	// Regions are the regions of a target that is in several, instead of an alias or an address.
	Regions []EdgeRegion
	// CheckPath, when set, has Route 53 ask the Address for https://Host/CheckPath, and leave the
	// target out while it does not answer. Only for addresses: a load balancer's health is known.
	CheckPath string
}

// EdgeDns is the delegated Route 53 zone, its records, and the public names that lead into it.
type EdgeDns struct {
	pulumi.ResourceState
	SubZoneID   pulumi.StringOutput
	NameServers pulumi.StringArrayOutput
	// HealthChecks are the ids of the checks of public names, by host.
	HealthChecks map[string]pulumi.StringOutput

	args *EdgeDnsArgs
	name string
	zone *route53.Zone
}

// route53NameServers is how many name servers AWS gives every zone.
const route53NameServers = 4

var edgeIdentifier = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

func (a *EdgeDnsArgs) validate(name string) error {
	p := base.Check("EdgeDns", name)
	p.Require(a.ZoneID != nil, "ZoneID", "nothing", "the id of the Cloudflare zone", "")
	p.Require(domainName.MatchString(a.ZoneName), "ZoneName", a.ZoneName, "a lower-case domain name", "")
	p.Require(domainName.MatchString(a.SubZone) && strings.HasSuffix(a.SubZone, "."+a.ZoneName), "SubZone", a.SubZone, "a domain below "+a.ZoneName, "")
	p.Require(a.TTLSeconds >= 60 && a.TTLSeconds <= 86400, "TTLSeconds", a.TTLSeconds, "60 to 86400", "")
	p.Require(len(a.Names) > 0, "Names", "none", "at least one", "")
	seen := map[string]bool{}
	for _, n := range a.Names {
		p.Require(n.Host == a.ZoneName || strings.HasSuffix(n.Host, "."+a.ZoneName), "Names.Host", n.Host, "a name in "+a.ZoneName, "")
		p.Require(n.Host != a.SubZone && !strings.HasSuffix(n.Host, "."+a.SubZone), "Names.Host", n.Host, "a name outside the delegated "+a.SubZone, "")
		p.Require(!seen[n.Host], "Names.Host", n.Host, "each name once", "")
		seen[n.Host] = true
		n.validate(p)
	}
	return p.Err()
}

func (n EdgeName) validate(p *base.Problems) {
	field := "Names[" + n.Host + "]."
	p.Require(len(n.Targets) > 0, field+"Targets", "none", "at least one", "")
	p.Require(n.PublicCheckPath == "" || strings.HasPrefix(n.PublicCheckPath, "/"), field+"PublicCheckPath", n.PublicCheckPath, "a path starting with /", "")
	seen := map[string]bool{}
	sum := 0
	for _, t := range n.Targets {
		f := field + "Targets[" + t.Identifier + "]."
		p.Require(edgeIdentifier.MatchString(t.Identifier), f+"Identifier", t.Identifier, "1 to 40 lower case letters, digits, hyphens", "")
		p.Require(!seen[t.Identifier], f+"Identifier", t.Identifier, "each identifier once", "")
		seen[t.Identifier] = true
		p.Require(t.Weight >= 0 && t.Weight <= 100, f+"Weight", t.Weight, "0 to 100", "")
		sum += t.Weight
		p.Require(n.ByLatency == (t.Region != ""), f+"Region", fmt.Sprintf("%q", t.Region), "a region exactly when the name goes by latency", "")
		alias := t.AliasName != nil
		p.Require(alias == (t.AliasZoneID != nil), f+"AliasZoneID", "one of the two", "AliasName and AliasZoneID together", "")
		t.validateRegions(p, f)
		alias = alias || len(t.Regions) > 0
		p.Require(len(t.Regions) == 0 || t.AliasName == nil && !n.ByLatency, f+"Regions", "with an alias, or ByLatency", "alone", "")
		p.Require(alias != (t.Address != nil), f+"Address", "both or neither", "either an alias or an Address", "")
		p.Require(alias || !t.CloudFront && !t.IPv6, f+"CloudFront/IPv6", true, "only with an alias; an address has AddressV6", "")
		p.Require(!alias || t.AddressV6 == nil && t.CheckPath == "", f+"AddressV6/CheckPath", "set", "only with an Address", "")
		p.Require(t.CheckPath == "" || strings.HasPrefix(t.CheckPath, "/"), f+"CheckPath", t.CheckPath, "a path starting with /", "")
	}
	// Route 53 reads 'all zero' as 'all equal', which is never what was meant.
	p.Require(n.ByLatency || len(n.Targets) == 0 || sum > 0, field+"Targets", "no weight above 0", "at least one target with a weight", "")
}

// NewEdgeDns registers the sub-zone, its delegation, the targets' records and the public names.
func NewEdgeDns(ctx *pulumi.Context, name string, in *EdgeDnsArgs, opts ...pulumi.ResourceOption) (*EdgeDns, error) {
	args := *in
	setDefault(&args.TTLSeconds, 60)
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &EdgeDns{args: &args, name: name, HealthChecks: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResourceV2(EdgeDnsType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	if err := c.delegate(ctx); err != nil {
		return nil, err
	}
	for _, n := range args.Names {
		if err := c.addName(ctx, n); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"subZoneId": c.SubZoneID, "nameServers": c.NameServers, "healthChecks": stringMap(c.HealthChecks),
	})
}

// delegate registers the sub-zone and the four NS records at Cloudflare that lead to it. The zone is
// stateful: a new one gets other name servers, and the names are gone until caches forget the old.
func (c *EdgeDns) delegate(ctx *pulumi.Context) error {
	zone, err := route53.NewZone(ctx, c.name+"-zone", &route53.ZoneArgs{
		Name: pulumi.String(c.args.SubZone), Comment: pulumi.String("Delegated from " + c.args.ZoneName + " at Cloudflare"),
		ForceDestroy: pulumi.Bool(c.args.Disposable), Tags: c.args.Tags.Pulumi("Name", c.args.SubZone),
	}, base.Stateful(c.args.Disposable, pulumi.Parent(c))...)
	if err != nil {
		return err
	}
	for i := range route53NameServers {
		if _, err := cloudflare.NewRecord(ctx, fmt.Sprintf("%s-ns-%d", c.name, i+1), &cloudflare.RecordArgs{
			ZoneId: c.args.ZoneID, Name: c.inZone(c.args.SubZone), Type: pulumi.String("NS"),
			Content: zone.NameServers.Index(pulumi.Int(i)), Ttl: pulumi.Int(3600), Proxied: pulumi.Bool(false),
			Comment: pulumi.String("Delegates " + c.args.SubZone + " to Route 53"),
		}, pulumi.Parent(c)); err != nil {
			return err
		}
	}
	c.zone, c.SubZoneID, c.NameServers = zone, zone.ZoneId, zone.NameServers
	return nil
}

func (c *EdgeDns) addName(ctx *pulumi.Context, n EdgeName) error {
	inside := EdgeNameIn(n.Host, c.args.ZoneName, c.args.SubZone)
	label := strings.TrimSuffix(inside, "."+c.args.SubZone)
	live, v6 := 0, true
	for _, t := range n.Targets {
		if t.Weight > 0 {
			live++
		}
		v6 = v6 && (t.IPv6 || t.AddressV6 != nil)
	}
	for _, t := range n.Targets {
		// With one live target, Route 53 must never 'fail over' to a target of weight 0, which it
		// would if the live one counted as unhealthy: behind it may be a platform with old data.
		if err := c.addTarget(ctx, n, t, label, inside, v6, n.ByLatency || live > 1); err != nil {
			return err
		}
	}
	if n.PublicCheckPath != "" {
		check, err := c.healthCheck(ctx, c.name+"-"+label+"-public", n.Host, n.PublicCheckPath, nil)
		if err != nil {
			return err
		}
		c.HealthChecks[n.Host] = check.ID().ToStringOutput()
	}
	if n.WithoutPublicRecord {
		return nil
	}
	// Not proxied: the weights and the certificates are AWS's business, and git over SSH must pass.
	_, err := cloudflare.NewRecord(ctx, c.name+"-"+label, &cloudflare.RecordArgs{
		ZoneId: c.args.ZoneID, Name: c.inZone(n.Host), Type: pulumi.String("CNAME"), Content: pulumi.String(inside),
		Ttl: pulumi.Int(c.args.TTLSeconds), Proxied: pulumi.Bool(false), Comment: pulumi.String("Weights and health checks are in Route 53"),
	}, pulumi.Parent(c))
	return err
}

// inZone is a name as Cloudflare writes it: without the zone, or @ for the zone itself.
func (c *EdgeDns) inZone(host string) pulumi.String {
	if host == c.args.ZoneName {
		return "@"
	}
	return pulumi.String(strings.TrimSuffix(host, "."+c.args.ZoneName))
}

// addTarget registers a target's A record, and its AAAA record when every target of the name has
// IPv6. If only some had, clients with IPv6 would go to those, whatever the weights.
func (c *EdgeDns) addTarget(ctx *pulumi.Context, n EdgeName, t EdgeTarget, label, inside string, v6, evaluate bool) error {
	var check pulumi.StringPtrInput
	if t.CheckPath != "" {
		hc, err := c.healthCheck(ctx, c.name+"-"+label+"-"+t.Identifier+"-check", n.Host, t.CheckPath, t.Address)
		if err != nil {
			return err
		}
		if evaluate {
			check = hc.ID().ToStringOutput().ToStringPtrOutput()
		}
	}
	opts := []pulumi.ResourceOption{pulumi.Parent(c)}
	if len(t.Regions) > 0 {
		below, after, err := c.byLatency(ctx, n, t, label)
		if err != nil {
			return err
		}
		t = below
		opts = append(opts, pulumi.DependsOn([]pulumi.Resource{after}))
	}
	kinds := []string{"A"}
	if v6 {
		kinds = append(kinds, "AAAA")
	}
	for _, kind := range kinds {
		record := &route53.RecordArgs{
			ZoneId: c.zone.ZoneId, Name: pulumi.String(inside), Type: pulumi.String(kind), SetIdentifier: pulumi.String(t.Identifier),
			HealthCheckId: check,
		}
		if n.ByLatency {
			record.LatencyRoutingPolicies = route53.RecordLatencyRoutingPolicyArray{&route53.RecordLatencyRoutingPolicyArgs{Region: pulumi.String(t.Region)}}
		} else {
			// Weighted even when alone: a simple record would have to go before a second one could come.
			record.WeightedRoutingPolicies = route53.RecordWeightedRoutingPolicyArray{&route53.RecordWeightedRoutingPolicyArgs{Weight: pulumi.Int(t.Weight)}}
		}
		if t.AliasName != nil {
			record.Aliases = route53.RecordAliasArray{&route53.RecordAliasArgs{
				Name: t.AliasName, ZoneId: t.AliasZoneID, EvaluateTargetHealth: pulumi.Bool(evaluate && !t.CloudFront),
			}}
		} else {
			record.Records = pulumi.StringArray{t.Address}
			if kind == "AAAA" {
				record.Records = pulumi.StringArray{t.AddressV6}
			}
			record.Ttl = pulumi.Int(c.args.TTLSeconds)
		}
		if _, err := route53.NewRecord(ctx, c.name+"-"+label+"-"+t.Identifier+"-"+strings.ToLower(kind), record, opts...); err != nil {
			return err
		}
	}
	return nil
}

// healthCheck asks for https://host/path, at the address when there is one, else wherever the name
// leads.
func (c *EdgeDns) healthCheck(ctx *pulumi.Context, name, host, path string, address pulumi.StringInput) (*route53.HealthCheck, error) {
	args := &route53.HealthCheckArgs{
		Type: pulumi.String("HTTPS"), Fqdn: pulumi.String(host), ResourcePath: pulumi.String(path), Port: pulumi.Int(443), EnableSni: pulumi.Bool(true),
		FailureThreshold: pulumi.Int(3), RequestInterval: pulumi.Int(30), Tags: c.args.Tags.Pulumi("Name", name),
	}
	if address != nil {
		args.IpAddress = address.ToStringOutput().ToStringPtrOutput()
	}
	return route53.NewHealthCheck(ctx, name, args, pulumi.Parent(c))
}

// EdgeNameIn is the name inside the sub-zone that a public host leads to.
func EdgeNameIn(host, zone, subZone string) string {
	if host == zone {
		return "root." + subZone
	}
	return strings.TrimSuffix(host, "."+zone) + "." + subZone
}

// CloudflareZoneID is the id of the zone: the one given, or else what Cloudflare says for its name in
// the account.
func CloudflareZoneID(ctx *pulumi.Context, id, accountID, zoneName string, opts ...pulumi.InvokeOption) pulumi.StringOutput {
	if id != "" {
		return pulumi.String(id).ToStringOutput()
	}
	zone := cloudflare.LookupZoneOutput(ctx, cloudflare.LookupZoneOutputArgs{AccountId: pulumi.String(accountID), Name: pulumi.String(zoneName)}, opts...)
	return zone.ZoneId()
}
