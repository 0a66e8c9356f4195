// Command cmd is the policy pack as the ordinary CLI loads it: --policy-pack bin/policy-hygiene, or the
// path of this folder.
package main

import (
	"github.com/morphee-app/morphee-infra/policy/hygiene"
	"github.com/morphee-app/morphee-infra/policy/serve"
)

func main() { serve.Main(hygiene.Pack) }
