package aws

import (
	"fmt"
	"net/netip"
)

// Tier is a kind of subnet in the address plan.
type Tier string

// The tiers. TierSpare has its slots so that a further tier can be added later.
const (
	TierPrivate  Tier = "private"
	TierPublic   Tier = "public"
	TierIsolated Tier = "isolated"
	TierSpare    Tier = "spare"
)

// MaxRegions and MaxZones are how many regions, and zones of a region, have their slot in the plan.
const (
	MaxRegions = 64
	MaxZones   = 8 // letters a to h
)

// AddressPlan gives every subnet that a region can ever have its fixed place, whether it exists yet
// or not: adding a zone, a tier or a region moves none.
//
//	10.64.0.0/10                  the platform: 64 regions (10.0.0.0/10 is left to other networks)
//	└ 10.(64+r).0.0/16            region r
//	  ├ 10.(64+r).0.0/17          private:  8 zones of /20, 4,091 usable addresses each
//	  └ 10.(64+r).128.0/18        public:   8 zones of /21
//	    10.(64+r).192.0/19        isolated: 8 zones of /22
//	    10.(64+r).224.0/19        spare:    8 zones of /22
type AddressPlan struct {
	// RegionIndex 0 to 63.
	RegionIndex int
}

// tierSlots is where a tier's zones begin in the region's block and how large each is.
var tierSlots = map[Tier]struct{ thirdOctet, bits int }{
	TierPrivate:  {0, 20},
	TierPublic:   {128, 21},
	TierIsolated: {192, 22},
	TierSpare:    {224, 22},
}

// Vpc is the region's block.
func (p AddressPlan) Vpc() (netip.Prefix, error) {
	if p.RegionIndex < 0 || p.RegionIndex >= MaxRegions {
		return netip.Prefix{}, fmt.Errorf("address plan: region index %d, want 0 to %d", p.RegionIndex, MaxRegions-1)
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(64 + p.RegionIndex), 0, 0}), 16), nil
}

// Subnet is the block of a tier in the zone with this letter.
func (p AddressPlan) Subnet(tier Tier, letter string) (netip.Prefix, error) {
	vpc, err := p.Vpc()
	if err != nil {
		return netip.Prefix{}, err
	}
	slot, ok := tierSlots[tier]
	if !ok {
		return netip.Prefix{}, fmt.Errorf("address plan: no tier %q", tier)
	}
	if len(letter) != 1 || letter[0] < 'a' || letter[0] >= 'a'+MaxZones {
		return netip.Prefix{}, fmt.Errorf("address plan: zone letter %q, want a to h", letter)
	}
	addr := vpc.Addr().As4()
	addr[2] = byte(slot.thirdOctet + int(letter[0]-'a')<<(24-slot.bits))
	return netip.PrefixFrom(netip.AddrFrom4(addr), slot.bits), nil
}
