// Package random simulates the random provider. It has no cloud: its resources live in Pulumi's state.
// What it generates derives from the world's seed, so that two runs generate the same. It is therefore
// not random at all, and must never protect anything real.
package random

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc64"
	"math/big"
	"math/rand"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// Package is the simulated random provider.
func Package() cloud.Package {
	types := []cloud.Type{
		{Token: "random:index/randomBytes:RandomBytes", Create: createBytes},
		{Token: "random:index/randomId:RandomId", Create: createID},
		{Token: "random:index/randomInteger:RandomInteger", Check: checkInteger, Create: createInteger},
		{Token: "random:index/randomPassword:RandomPassword", Check: checkCharacters, Create: createPassword},
		{Token: "random:index/randomPet:RandomPet", Create: createPet},
		{Token: "random:index/randomShuffle:RandomShuffle", Create: createShuffle},
		{Token: "random:index/randomString:RandomString", Check: checkCharacters, Create: createString},
		{Token: "random:index/randomUuid:RandomUuid", Create: createUUID},
	}
	for i := range types {
		types[i].Local = true
	}
	return cloud.Package{Name: "random", Types: types}
}

func createBytes(c *cloud.Call) error {
	b := c.Gen.Bytes("bytes", c.In.Int("length"))
	c.ID = "none"
	c.Out["base64"], c.Out["hex"] = base64.StdEncoding.EncodeToString(b), hex.EncodeToString(b)
	return nil
}

func createID(c *cloud.Call) error {
	b, prefix := c.Gen.Bytes("id", c.In.Int("byteLength")), c.In.String("prefix")
	c.ID = base64.RawURLEncoding.EncodeToString(b)
	c.Out["b64Url"] = prefix + c.ID
	c.Out["b64Std"] = prefix + base64.StdEncoding.EncodeToString(b)
	c.Out["hex"] = prefix + hex.EncodeToString(b)
	c.Out["dec"] = prefix + new(big.Int).SetBytes(b).String()
	return nil
}

func checkInteger(c *cloud.CheckCall) {
	if c.In.Known("min") && c.In.Known("max") && c.In.Int("min") > c.In.Int("max") {
		c.Fail("min", "the minimum (min) value needs to be smaller than or equal to maximum (max) value, got %d and %d", c.In.Int("min"), c.In.Int("max"))
	}
}

// source draws as the real provider does: the same seed gives the same there.
func source(c *cloud.Call) *rand.Rand {
	seed := c.In.String("seed")
	if seed == "" {
		seed = c.Gen.Hex("seed", 32)
	}
	return rand.New(rand.NewSource(int64(crc64.Checksum([]byte(seed), crc64.MakeTable(crc64.ISO)))))
}

func createInteger(c *cloud.Call) error {
	low, high := c.In.Int("min"), c.In.Int("max")
	n := low + source(c).Intn(high+1-low)
	c.ID, c.Out["result"] = strconv.Itoa(n), float64(n)
	return nil
}

func createShuffle(c *cloud.Call) error {
	in, count := c.In.List("inputs"), len(c.In.List("inputs"))
	if c.In.Has("resultCount") {
		count = c.In.Int("resultCount")
	}
	out := []any{}
	for r := source(c); len(in) > 0 && len(out) < count; {
		for _, i := range r.Perm(len(in)) {
			if len(out) < count {
				out = append(out, in[i])
			}
		}
	}
	c.ID, c.Out["results"] = "-", out
	return nil
}

func createUUID(c *cloud.Call) error {
	c.ID = c.Gen.UUID("uuid")
	c.Out["result"] = c.ID
	return nil
}

var (
	adverbs    = strings.Fields("boldly briefly calmly clearly duly early firmly freely gently highly kindly lively neatly openly partly quietly rarely safely usually vastly warmly widely")
	adjectives = strings.Fields("able bold bright calm clever crisp eager fair fond fresh glad grand humble keen kind light lucky mellow noble proud quick rare sharp smart steady sunny tidy vital warm wise")
	animals    = strings.Fields("adder badger bison condor crane dingo eagle falcon ferret gecko heron ibex jaguar kite lemur lynx marten moth newt ocelot otter panda puffin quail raven robin seal shrew stork tapir viper wombat")
)

func createPet(c *cloud.Call) error {
	pick := func(label string, words []string) string { return words[c.Gen.Number(label, 0, len(words)-1)] }
	n := c.In.Int("length")
	if !c.In.Has("length") {
		n = 2
	}
	separator := "-"
	if c.In.Has("separator") {
		separator = c.In.String("separator")
	}
	var words []string
	if prefix := c.In.String("prefix"); prefix != "" {
		words = append(words, prefix)
	}
	for i := range n - 2 {
		words = append(words, pick(fmt.Sprintf("adverb/%d", i), adverbs))
	}
	if n > 1 {
		words = append(words, pick("adjective", adjectives))
	}
	c.ID = strings.Join(append(words, pick("animal", animals)), separator)
	return nil
}
