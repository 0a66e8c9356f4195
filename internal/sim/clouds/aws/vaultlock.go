package aws

import "github.com/morphee-app/morphee-infra/internal/sim/cloud"

// vaultLockType keeps recovery points from being deleted early.
func vaultLockType() cloud.Type {
	return cloud.Type{Token: "aws:backup/vaultLockConfiguration:VaultLockConfiguration", Create: func(c *cloud.Call) error {
		bad := func(format string, args ...any) error {
			return refuse("Backup", "PutBackupVaultLockConfiguration", "InvalidParameterValueException", format, args...)
		}
		v := c.Find(vaultToken, c.In.String("backupVaultName"))
		low, high := c.In.Int("minRetentionDays"), c.In.Int("maxRetentionDays")
		switch {
		case v == nil:
			return refuse("Backup", "PutBackupVaultLockConfiguration", "ResourceNotFoundException", "Backup vault %s does not exist", c.In.String("backupVaultName"))
		case c.In.Has("changeableForDays") && c.In.Int("changeableForDays") < 3:
			return bad("Changeable for days must be at least 3, got %d", c.In.Int("changeableForDays"))
		case c.In.Has("minRetentionDays") && low < 1, c.In.Has("maxRetentionDays") && (high < 1 || high > 36500), high > 0 && low > high:
			return bad("Retention days are 1 to 36500, the minimum not above the maximum (%d, %d)", low, high)
		}
		c.ID, c.Out["backupVaultArn"] = v.ID, v.Out.String("arn")
		return nil
	}}
}
