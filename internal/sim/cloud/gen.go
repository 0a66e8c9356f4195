package cloud

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// Gen makes identifiers that look like the cloud's own and are the same in every run: they derive
// from the world's seed, the resource's URN and how often that URN was created before.
type Gen struct{ Seed string }

func (g Gen) sum(label string, n int) []byte {
	var out []byte
	for i := 0; len(out) < n; i++ {
		mac := hmac.New(sha256.New, []byte(g.Seed))
		fmt.Fprintf(mac, "%s\x00%d", label, i)
		out = mac.Sum(out)
	}
	return out[:n]
}

// Bytes returns n bytes for the label.
func (g Gen) Bytes(label string, n int) []byte { return g.sum(label, n) }

// Hex returns n hexadecimal digits for the label.
func (g Gen) Hex(label string, n int) string { return hex.EncodeToString(g.sum(label, (n+1)/2))[:n] }

// Pick returns n characters of the alphabet for the label.
func (g Gen) Pick(label, alphabet string, n int) string {
	var b strings.Builder
	for _, x := range g.sum(label, 2*n) {
		if b.Len() == n {
			break
		}
		b.WriteByte(alphabet[int(x)%len(alphabet)])
	}
	return b.String()
}

// Number returns a number from low to high, both included.
func (g Gen) Number(label string, low, high int) int {
	n := binary.BigEndian.Uint64(g.sum(label, 8))
	return low + int(n%uint64(high-low+1))
}

// UUID returns a version-4 form UUID for the label.
func (g Gen) UUID(label string) string {
	b := g.sum(label, 16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Time is the simulated moment of creation, RFC 3339. The simulator has no clock: the moment only
// depends on the seed, so that two runs give the same world.
func (g Gen) Time() string {
	return fmt.Sprintf("2026-01-01T00:%02d:%02dZ", g.Number("minute", 0, 59), g.Number("second", 0, 59))
}
