package cloudflare

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// PublicNamesType is the type token of PublicNames.
const PublicNamesType = "morphee:cloudflare:PublicNames"

// PublicName is a name that people use, and where it leads.
type PublicName struct {
	// Host is the full name, such as "api.morphee.app"; it must lie in the zone. Replaces its record.
	Host string
	// Target is the name that it leads to: a server's, or one in a delegated zone. A change is one
	// update of the record: at no time does the name lead nowhere.
	Target string
	// Proxied sends HTTP through Cloudflare. The target must then be an address at Cloudflare.
	Proxied bool
	// Aliases are what the record was called before.
	Aliases []pulumi.Alias
}

// PublicNamesArgs describes the public names of a stack.
type PublicNamesArgs struct {
	// ZoneID is Cloudflare's id of the zone. Replaces the records.
	ZoneID pulumi.StringInput
	// ZoneName is the zone, such as "morphee.app".
	ZoneName string
	// Names, at least one, no duplicates.
	Names []PublicName
	// TTLSeconds of records that are not proxied, 60 to 86400: how long a move lags behind.
	TTLSeconds int
	// After must be there before a name leads to it.
	After []pulumi.Resource
	// Tags go into the records' comment.
	Tags base.Tags
}

// PublicNames are one CNAME each. They stay the same resources on every platform, so that moving from
// one to another changes where they lead and nothing else: between an address record and a CNAME there
// would be a moment with neither.
type PublicNames struct {
	pulumi.ResourceState
}

func (a *PublicNamesArgs) validate(name string) error {
	p := base.Check("PublicNames", name)
	p.Require(a.ZoneID != nil, "ZoneID", "nothing", "the id of the Cloudflare zone", "")
	p.Require(hostPattern.MatchString(a.ZoneName), "ZoneName", fmt.Sprintf("%q", a.ZoneName), `a zone such as "morphee.app"`, "dns.zone")
	p.Require(a.TTLSeconds >= 60 && a.TTLSeconds <= 86400, "TTLSeconds", a.TTLSeconds, "60 to 86400", "dns.ttlSeconds")
	p.Require(len(a.Names) > 0, "Names", "none", "at least one", "hosts")
	seen := map[string]bool{}
	for i, n := range a.Names {
		field := fmt.Sprintf("Names[%d]", i)
		requireHost(p, field, n.Host, a.ZoneName, seen)
		p.Require(hostPattern.MatchString(n.Target) && n.Target != n.Host, field+".Target", fmt.Sprintf("%q", n.Target), "another name", "")
	}
	return p.Err()
}

// NewPublicNames registers the records.
func NewPublicNames(ctx *pulumi.Context, name string, args *PublicNamesArgs, opts ...pulumi.ResourceOption) (*PublicNames, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &PublicNames{}
	if err := ctx.RegisterComponentResourceV2(PublicNamesType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	for _, n := range args.Names {
		ttl := args.TTLSeconds
		if n.Proxied {
			ttl = automaticTTL
		}
		if _, err := cloudflare.NewRecord(ctx, name+"-"+strings.ReplaceAll(n.Host, ".", "-"), &cloudflare.RecordArgs{
			ZoneId: args.ZoneID, Name: pulumi.String(labelIn(n.Host, args.ZoneName)), Type: pulumi.String("CNAME"), Content: pulumi.String(n.Target),
			Ttl: pulumi.Int(ttl), Proxied: pulumi.Bool(n.Proxied), Comment: comment(args.Tags),
			// A record somebody made by hand is not ours to overwrite.
			AllowOverwrite: pulumi.Bool(false),
		}, pulumi.Parent(c), pulumi.DependsOn(args.After), pulumi.Aliases(n.Aliases)); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

// labelIn is a name as Cloudflare writes it: without the zone, or @ for the zone itself.
func labelIn(host, zone string) string {
	if host == zone {
		return "@"
	}
	return strings.TrimSuffix(host, "."+zone)
}

func comment(t base.Tags) pulumi.String {
	return pulumi.String(fmt.Sprintf("%s %s, owner %s", t.Project, t.Stack, t.Owner))
}
