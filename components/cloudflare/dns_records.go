package cloudflare

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// DnsRecordsType is the type token of DnsRecords.
const DnsRecordsType = "morphee:cloudflare:DnsRecords"

// DnsHost is one public name.
type DnsHost struct {
	// Name is the full name, such as "api.morphee.app"; it must lie in the zone. Replaces its records.
	Name string
	// Proxied sends HTTP through Cloudflare. It hides the server and breaks anything that is not
	// HTTP, git over SSH included.
	Proxied bool
}

// DnsRecordsArgs describes names of one zone that point to one server.
type DnsRecordsArgs struct {
	// ZoneID is Cloudflare's id of the zone, 32 hexadecimal digits.
	ZoneID string
	// ZoneName is the zone, such as "morphee.app".
	ZoneName string
	// Hosts are the names; at least one, no duplicates.
	Hosts []DnsHost
	// IPv4 is the address of the A records.
	IPv4 pulumi.StringInput
	// IPv6, when not nil, is the address of AAAA records.
	IPv6 pulumi.StringInput
	// TTLSeconds of records that are not proxied: 60 to 86400. Default 300. Proxied ones are always automatic.
	TTLSeconds int
	// Tags go into the records' comment.
	Tags base.Tags
}

// DnsRecords are the public names of a server in a Cloudflare zone.
type DnsRecords struct {
	pulumi.ResourceState

	// Names that were made, in the order of Hosts.
	Names pulumi.StringArrayOutput
}

// NewDnsRecords registers the component.
func NewDnsRecords(ctx *pulumi.Context, name string, args *DnsRecordsArgs, opts ...pulumi.ResourceOption) (*DnsRecords, error) {
	return nil, errors.New("DnsRecords: not built yet")
}
