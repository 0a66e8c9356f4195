package random

import (
	"fmt"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numeric = "0123456789"
	special = "!@#$%&*()-_=+[]{}<>:?"
)

// class is one kind of characters of a password or string.
type class struct {
	input, minimum, alphabet string
}

var classes = []class{{"lower", "minLower", lower}, {"upper", "minUpper", upper}, {"numeric", "minNumeric", numeric}, {"special", "minSpecial", special}}

// wanted tells whether the class may be used. "number" is the old name of "numeric".
func wanted(in cloud.Object, k class) bool {
	if k.input == "numeric" && in.Has("number") {
		return in.Bool("number")
	}
	return !in.Has(k.input) || in.Bool(k.input)
}

func checkCharacters(c *cloud.CheckCall) {
	sum, some := 0, false
	for _, k := range classes {
		sum += c.In.Int(k.minimum)
		some = some || wanted(c.In, k) || cloud.HasUnknown(c.In[k.input])
	}
	if n := c.In.Int("length"); c.In.Known("length") && n < sum {
		c.Fail("length", "must be at least the sum of minUpper, minLower, minNumeric and minSpecial, %d; got %d", sum, n)
	}
	if !some {
		c.Fail("special", "at least one of special, upper, lower and numeric must be true")
	}
}

// characters draws the minimum of every class, then from all of them, and mixes.
func characters(c *cloud.Call) string {
	pool := ""
	var out []byte
	draw := func(alphabet string) {
		label := fmt.Sprintf("character/%d", len(out))
		out = append(out, alphabet[c.Gen.Number(label, 0, len(alphabet)-1)])
	}
	for _, k := range classes {
		if k.input == "special" && c.In.String("overrideSpecial") != "" {
			k.alphabet = c.In.String("overrideSpecial")
		}
		if wanted(c.In, k) {
			pool += k.alphabet
		}
		for range c.In.Int(k.minimum) {
			draw(k.alphabet)
		}
	}
	for len(out) < c.In.Int("length") {
		draw(pool)
	}
	for i := len(out) - 1; i > 0; i-- {
		j := c.Gen.Number(fmt.Sprintf("mix/%d", i), 0, i)
		out[i], out[j] = out[j], out[i]
	}
	return string(out)
}

func settle(c *cloud.Call) string {
	s := characters(c)
	c.Out["result"] = s
	digits := wanted(c.In, classes[2])
	c.Out["numeric"], c.Out["number"] = digits, digits
	return s
}

func createString(c *cloud.Call) error {
	c.ID = settle(c)
	return nil
}

func createPassword(c *cloud.Call) error {
	hash, err := bcrypt(settle(c), c.Gen.Bytes("salt", 16))
	c.ID, c.Out["bcryptHash"] = "none", hash
	return err
}
