package aws

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// slot is one subnet of the whole plan.
type slot struct {
	region int
	tier   Tier
	letter string
}

func drawSlot(t *rapid.T) slot {
	return slot{
		region: rapid.IntRange(0, MaxRegions-1).Draw(t, "region"),
		tier:   rapid.SampledFrom([]Tier{TierPrivate, TierPublic, TierIsolated, TierSpare}).Draw(t, "tier"),
		letter: string(rune('a' + rapid.IntRange(0, MaxZones-1).Draw(t, "zone"))),
	}
}

func (s slot) block(t *rapid.T) netip.Prefix {
	p, err := AddressPlan{RegionIndex: s.region}.Subnet(s.tier, s.letter)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Any two different subnets of the plan are disjoint, and each is inside its region's block and no
// other's. A subnet's place depends on nothing but its own region, tier and zone (it is a function of
// them), so whatever is added moves none.
func TestAddressPlanNeverOverlaps(t *testing.T) {
	platform := netip.MustParsePrefix("10.64.0.0/10")
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawSlot(t), drawSlot(t)
		pa, pb := a.block(t), b.block(t)
		if a != b && pa.Overlaps(pb) {
			t.Fatalf("%v %s overlaps %v %s", a, pa, b, pb)
		}
		for _, s := range []slot{a, b} {
			vpc, err := AddressPlan{RegionIndex: s.region}.Vpc()
			if err != nil {
				t.Fatal(err)
			}
			p := s.block(t)
			if !vpc.Contains(p.Addr()) || p.Bits() <= vpc.Bits() || p != p.Masked() {
				t.Fatalf("%v: %s is no network inside %s", s, p, vpc)
			}
			if !platform.Contains(vpc.Addr()) || vpc != vpc.Masked() {
				t.Fatalf("%v: %s is outside the platform's %s", s, vpc, platform)
			}
		}
		va, _ := AddressPlan{RegionIndex: a.region}.Vpc()
		vb, _ := AddressPlan{RegionIndex: b.region}.Vpc()
		if a.region != b.region && va.Overlaps(vb) {
			t.Fatalf("regions %d and %d overlap", a.region, b.region)
		}
	})
}

// All slots of a region are disjoint: exhaustively, as a sample could miss a pair.
func TestAddressPlanOfOneRegion(t *testing.T) {
	var all []netip.Prefix
	for _, tier := range []Tier{TierPrivate, TierPublic, TierIsolated, TierSpare} {
		for l := 'a'; l < 'a'+MaxZones; l++ {
			p, err := AddressPlan{}.Subnet(tier, string(l))
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range all {
				if p.Overlaps(q) {
					t.Errorf("%s %c: %s overlaps %s", tier, l, p, q)
				}
			}
			all = append(all, p)
		}
	}
}

// The plan is for ever: these are the addresses of running networks.
func TestAddressPlanIsFixed(t *testing.T) {
	for _, c := range []struct {
		region       int
		tier         Tier
		letter, want string
	}{
		{0, TierPrivate, "a", "10.64.0.0/20"},
		{0, TierPrivate, "b", "10.64.16.0/20"},
		{0, TierPrivate, "h", "10.64.112.0/20"},
		{0, TierPublic, "a", "10.64.128.0/21"},
		{0, TierPublic, "f", "10.64.168.0/21"},
		{0, TierIsolated, "a", "10.64.192.0/22"},
		{1, TierIsolated, "c", "10.65.200.0/22"},
		{63, TierSpare, "h", "10.127.252.0/22"},
	} {
		got, err := AddressPlan{RegionIndex: c.region}.Subnet(c.tier, c.letter)
		if err != nil || got.String() != c.want {
			t.Errorf("%v: got %s, %v", c, got, err)
		}
	}
	for _, bad := range []slot{{-1, TierPublic, "a"}, {64, TierPublic, "a"}, {0, "none", "a"}, {0, TierPublic, "i"}, {0, TierPublic, ""}, {0, TierPublic, "ab"}} {
		if p, err := (AddressPlan{RegionIndex: bad.region}).Subnet(bad.tier, bad.letter); err == nil {
			t.Errorf("%v: got %s, want an error", bad, p)
		}
	}
}
