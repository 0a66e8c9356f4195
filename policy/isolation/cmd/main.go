// Command cmd is the policy pack as the ordinary CLI loads it: --policy-pack bin/policy-isolation, or the
// path of this folder.
package main

import (
	"github.com/morphee-app/morphee-infra/policy/isolation"
	"github.com/morphee-app/morphee-infra/policy/serve"
)

func main() { serve.Main(isolation.Pack) }
