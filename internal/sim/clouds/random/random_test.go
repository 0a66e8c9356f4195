package random_test

import (
	"encoding/base64"
	"encoding/hex"
	"maps"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/crypto/bcrypt"

	"github.com/morphee-app/morphee-infra/internal/sim/clouds/random"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

type props = simtest.Props

const (
	bytes    = "random:index/randomBytes:RandomBytes"
	id       = "random:index/randomId:RandomId"
	integer  = "random:index/randomInteger:RandomInteger"
	password = "random:index/randomPassword:RandomPassword"
	pet      = "random:index/randomPet:RandomPet"
	shuffle  = "random:index/randomShuffle:RandomShuffle"
	text     = "random:index/randomString:RandomString"
	uuid     = "random:index/randomUuid:RandomUuid"
)

func start(t *testing.T) *simtest.Sim { t.Helper(); return simtest.New(t, random.Package()) }

func TestRefusals(t *testing.T) {
	none := props{"length": 8, "lower": false, "upper": false, "numeric": false, "special": false}
	tests := []struct {
		rule, token string
		bad, good   props
		want        string
	}{
		{"password holds its minima", password, props{"length": 7, "minLower": 4, "minSpecial": 4}, props{"length": 8}, "at least the sum"},
		{"password has characters", password, none, props{"upper": true}, "at least one of special"},
		{"string holds its minima", text, props{"length": 3, "minNumeric": 4}, props{"length": 4}, "at least the sum"},
		{"string has characters", text, none, props{"numeric": nil, "number": true}, "at least one of special"},
		{"integer range", integer, props{"min": 3, "max": 2}, props{"max": 3}, "smaller than or equal"},
		{"password length", password, props{"length": 0}, props{"length": 1}, "at least 1"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := start(t)
			s.Refuses(test.token, "x", test.bad, test.want)
			good := maps.Clone(test.bad)
			maps.Copy(good, test.good)
			for k, v := range good {
				if v == nil {
					delete(good, k)
				}
			}
			s.Must(test.token, "x", good)
		})
	}
}

func TestPassword(t *testing.T) {
	s := start(t)
	r := s.Must(password, "p", props{"length": 40, "minLower": 5, "minUpper": 5, "minNumeric": 5, "minSpecial": 5, "overrideSpecial": "_-"})
	got := r.Out.String("result")
	count := map[string]int{}
	for _, c := range got {
		switch {
		case unicode.IsLower(c):
			count["lower"]++
		case unicode.IsUpper(c):
			count["upper"]++
		case unicode.IsDigit(c):
			count["digit"]++
		case strings.ContainsRune("_-", c):
			count["special"]++
		default:
			t.Errorf("%q is not allowed", c)
		}
	}
	if len(got) != 40 || count["lower"] < 5 || count["upper"] < 5 || count["digit"] < 5 || count["special"] < 5 {
		t.Errorf("%d characters: %v", len(got), count)
	}
	if err := bcrypt.CompareHashAndPassword([]byte(r.Out.String("bcryptHash")), []byte(got)); err != nil {
		t.Errorf("the hash is not the password's: %v", err)
	}
	if err := bcrypt.CompareHashAndPassword([]byte(r.Out.String("bcryptHash")), []byte(got+"x")); err == nil {
		t.Error("the hash takes another password")
	}
	if other := s.Must(password, "other", props{"length": 40}); other.Out["result"] == got {
		t.Error("two resources have one password")
	}
	if again := start(t).Must(password, "p", props{"length": 40, "minLower": 5, "minUpper": 5, "minNumeric": 5, "minSpecial": 5, "overrideSpecial": "_-"}); again.Out["result"] != got {
		t.Error("two runs have two passwords")
	}
	if len(s.World.All("", "")) != 0 {
		t.Error("a local resource is in the world")
	}
	if plain := s.Must(password, "plain", props{"length": 64, "special": false, "upper": false}); !regexp.MustCompile(`^[a-z0-9]{64}$`).MatchString(plain.Out.String("result")) {
		t.Error("classes that are off are used")
	}
}

func TestOthers(t *testing.T) {
	s := start(t)
	n := s.Must(id, "id", props{"byteLength": 8, "prefix": "x-"}).Out
	raw, err := hex.DecodeString(strings.TrimPrefix(n.String("hex"), "x-"))
	if err != nil || len(raw) != 8 || n["b64Url"] != "x-"+base64.RawURLEncoding.EncodeToString(raw) || n["b64Std"] != "x-"+base64.StdEncoding.EncodeToString(raw) || !regexp.MustCompile(`^x-\d+$`).MatchString(n.String("dec")) {
		t.Errorf("id: %v", n)
	}
	b := s.Must(bytes, "b", props{"length": 32}).Out
	raw, err = base64.StdEncoding.DecodeString(b.String("base64"))
	if err != nil || len(raw) != 32 || b["hex"] != hex.EncodeToString(raw) {
		t.Error("bytes: the two forms differ")
	}
	for i := range 20 {
		if got := s.Must(integer, "n"+strings.Repeat("i", i), props{"min": 3, "max": 5}).Out.Int("result"); got < 3 || got > 5 {
			t.Errorf("integer %d", got)
		}
	}
	one, two := s.Must(integer, "one", props{"min": 0, "max": 1 << 30, "seed": "s"}), s.Must(integer, "two", props{"min": 0, "max": 1 << 30, "seed": "s"})
	if one.Out["result"] != two.Out["result"] {
		t.Error("one seed gives two numbers")
	}
	if u := s.Must(uuid, "u", props{}); !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(u.Out.String("result")) || u.ID != u.Out["result"] {
		t.Errorf("uuid %v", u.Out)
	}
	if p := s.Must(pet, "p", props{"length": 3, "prefix": "my", "separator": "_"}); !regexp.MustCompile(`^my_[a-z]+_[a-z]+_[a-z]+$`).MatchString(p.ID) {
		t.Errorf("pet %q", p.ID)
	}
	if p := s.Must(pet, "q", props{}); !regexp.MustCompile(`^[a-z]+-[a-z]+$`).MatchString(p.ID) {
		t.Errorf("pet %q", p.ID)
	}
	mixed := s.Must(shuffle, "s", props{"inputs": []string{"a", "b", "c"}, "resultCount": 5}).Out.Strings("results")
	if len(mixed) != 5 || mixed[0] == mixed[1] || mixed[1] == mixed[2] || mixed[0] == mixed[2] {
		t.Errorf("shuffled to %v", mixed)
	}
	if str := s.Must(text, "t", props{"length": 9, "special": false}); str.ID != str.Out["result"] || len(str.ID) != 9 {
		t.Errorf("string %v", str.Out)
	}
}

func TestEverythingReplaces(t *testing.T) {
	s := start(t)
	for token, change := range map[string]props{
		password: {"length": 9}, text: {"length": 9}, id: {"byteLength": 9}, bytes: {"length": 9}, integer: {"max": 9}, pet: {"length": 3}, uuid: {"keepers": props{"a": "b"}}, shuffle: {"seed": "x"},
	} {
		base := map[string]props{password: {"length": 8}, text: {"length": 8}, id: {"byteLength": 8}, bytes: {"length": 8}, integer: {"min": 1, "max": 8}, pet: {}, uuid: {}, shuffle: {"inputs": []string{"a"}}}[token]
		r := s.Must(token, "r", base)
		for _, filled := range []string{"lower", "upper", "numeric", "special", "length", "separator"} {
			if v := r.Out[filled]; v != nil {
				r.In[filled] = v
			}
		}
		next := maps.Clone(base)
		maps.Copy(next, change)
		if d := s.Diff(r, next); len(d.ReplaceKeys) != 1 {
			t.Errorf("%s: %v replaces %v", token, change, d.ReplaceKeys)
		}
		if d := s.Diff(r, base); len(d.ChangedKeys) != 0 {
			t.Errorf("%s: nothing changes %v", token, d.ChangedKeys)
		}
	}
}
