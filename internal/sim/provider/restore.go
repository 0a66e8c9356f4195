package provider

import (
	"context"
	"fmt"

	pkgresource "github.com/pulumi/pulumi/pkg/v3/resource"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/providers"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// Restore makes in the world what a state says is there, with its secrets open. What the clouds have
// beside it (what was there before Pulumi, what they keep of deleted things) a state does not know.
func (s *Simulator) Restore(ctx context.Context, state []*pkgresource.State) error {
	by := map[resource.URN]*Provider{}
	for _, r := range state {
		if r.External || r.Delete || !r.Custom {
			continue
		}
		if providers.IsProviderType(r.Type) {
			p, err := s.Provider(string(providers.GetProviderPackage(r.Type)))
			if err != nil {
				return err
			}
			if _, err := p.Configure(ctx, plugin.ConfigureRequest{Inputs: r.Inputs}); err != nil {
				return fmt.Errorf("configuring %s: %w", r.URN, err)
			}
			by[r.URN] = p
			continue
		}
		if err := s.restore(by, r); err != nil {
			return fmt.Errorf("making %s again: %w", r.URN, err)
		}
	}
	return nil
}

func (s *Simulator) restore(by map[resource.URN]*Provider, r *pkgresource.State) error {
	ref, err := providers.ParseReference(r.Provider)
	if err != nil {
		return err
	}
	p := by[ref.URN()]
	if p == nil {
		return fmt.Errorf("the state has no provider %s", ref.URN())
	}
	schema, typ, err := p.lookup(r.Type)
	if err != nil {
		return err
	}
	s.World.Lock()
	defer s.World.Unlock()
	s.World.CountCreation(string(r.URN))
	if typ.Local {
		return nil // it exists in the state only
	}
	inputs := normalMap(r.Inputs)
	secret := union(secretKeys(inputs), secretOutputs(schema, typ))
	_, _, scope := p.state()
	s.World.Put(&cloud.Resource{
		Type: string(r.Type), ID: string(r.ID), Scope: scope, URN: string(r.URN),
		In: plainMap(inputs), Out: plainMap(normalMap(r.Outputs)), Secret: secret,
	})
	return nil
}
