package aws

import (
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

func TestVaultLock(t *testing.T) {
	const lock = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
	s := simtest.New(t, Package()).With("aws", simtest.Props{"region": "eu-west-1"})
	s.Refuses(lock, "none", simtest.Props{"backupVaultName": "main"}, "ResourceNotFoundException")
	s.Must(vaultToken, "main", simtest.Props{"name": "main"})
	for _, days := range [][2]int{{0, 30}, {40, 30}, {1, 40000}} {
		s.Refuses(lock, "days", simtest.Props{"backupVaultName": "main", "minRetentionDays": days[0], "maxRetentionDays": days[1]}, "InvalidParameterValueException")
	}
	r := s.Must(lock, "good", simtest.Props{"backupVaultName": "main", "minRetentionDays": 7, "maxRetentionDays": 365})
	if r.ID != "main" || r.Out.String("backupVaultArn") == "" {
		t.Errorf("lock %s, outputs %v", r.ID, r.Out)
	}
}

func TestGetServiceFindsNothing(t *testing.T) {
	s := simtest.New(t, Package()).With("aws", simtest.Props{"region": "eu-west-1"})
	if out, err := s.Invoke("aws:ecs/getService:getService", simtest.Props{"clusterArn": "c", "serviceName": "s"}); err == nil {
		t.Errorf("found a service that does not exist: %v", out)
	}
}
