// Command cmd is the policy pack as the ordinary CLI loads it: --policy-pack bin/policy-durability, or the
// path of this folder.
package main

import (
	"github.com/morphee-app/morphee-infra/policy/durability"
	"github.com/morphee-app/morphee-infra/policy/serve"
)

func main() { serve.Main(durability.Pack) }
