package aws

import (
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	vaultToken     = "aws:backup/vault:Vault"
	planToken      = "aws:backup/plan:Plan"
	selectionToken = "aws:backup/selection:Selection"
)

func backupTypes() []cloud.Type {
	return []cloud.Type{vaultType(), vaultPolicyType(), planType(), selectionType(), vaultLockType()}
}

var vaultName = regexp.MustCompile(`^[a-zA-Z0-9_-]{2,50}$`)
var backupName = regexp.MustCompile(`^[0-9A-Za-z_.-]{1,50}$`)

func vaultType() cloud.Type {
	return cloud.Type{
		Token: vaultToken,
		Check: func(c *cloud.CheckCall) {
			if n := c.In.String("name"); n != "" && !vaultName.MatchString(n) {
				c.Fail("name", "must consist of 2 to 50 letters, numbers, hyphens and underscores, got %q", n)
			}
		},
		Create: func(c *cloud.Call) error {
			name := c.In.String("name")
			if c.Find(vaultToken, name) != nil {
				return refuse("Backup", "CreateBackupVault", "AlreadyExistsException", "Backup vault with the same name already exists (%s)", name)
			}
			if k := c.In.String("kmsKeyArn"); k != "" && !isARN(k, "kms") {
				return refuse("Backup", "CreateBackupVault", "InvalidParameterValueException", "Invalid KMS key ARN: %s", k)
			} else if why := keyUsable(c, k); why != "" {
				return refuse("Backup", "CreateBackupVault", "InvalidParameterValueException", "The KMS key cannot be used: %s", why)
			}
			c.ID, c.Out["arn"], c.Out["recoveryPoints"] = name, arn("backup", c.Scope, "backup-vault:"+name), 0.0
			computed(c, "kmsKeyArn", arn("kms", c.Scope, "key/"+c.Gen.UUID("aws/backup")))
			return nil
		},
		Delete: func(c *cloud.Call) error {
			if n := c.Out.Int("recoveryPoints"); n > 0 && !c.Old.Bool("forceDestroy") {
				return refuse("Backup", "DeleteBackupVault", "InvalidRequestException", "Backup vault cannot be deleted because it contains recovery points. (%s has %d; set forceDestroy: true and update first)", c.ID, n)
			}
			return nil
		},
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(2)},
	}
}

func vaultPolicyType() cloud.Type {
	return written(cloud.Type{
		Token: "aws:backup/vaultPolicy:VaultPolicy",
		Check: func(c *cloud.CheckCall) { checkJSON(c, "policy") },
	}, func(c *cloud.Call) error {
		v := c.Find(vaultToken, c.In.String("backupVaultName"))
		if v == nil {
			return refuse("Backup", "PutBackupVaultAccessPolicy", "ResourceNotFoundException", "Backup vault %s does not exist", c.In.String("backupVaultName"))
		}
		if _, why := checkResourcePolicy(c.World, c.In.Get("policy"), 10240); why != "" {
			return refuse("Backup", "PutBackupVaultAccessPolicy", "InvalidParameterValueException", "Invalid policy: %s", why)
		}
		c.Out["backupVaultArn"] = v.Out.String("arn")
		return nil
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("backupVaultName")
		return nil
	})
}

func planType() cloud.Type {
	return written(cloud.Type{
		Token: planToken,
		Check: func(c *cloud.CheckCall) {
			if n := c.In.String("name"); n != "" && !backupName.MatchString(n) {
				c.Fail("name", "must be 1 to 50 characters and contain only letters, numbers, hyphens, underscores and dots, got %q", n)
			}
		},
		Delete: func(c *cloud.Call) error {
			if s := byProperty(c.All(selectionToken), "planId", c.ID); s != nil {
				return refuse("Backup", "DeleteBackupPlan", "InvalidRequestException", "Related backup plan selections must be deleted prior to backup plan deletion (%s)", s.ID)
			}
			return nil
		},
		Recomputed: map[string][]string{"rules": {"version"}},
	}, writePlan, func(c *cloud.Call) error {
		if byProperty(c.All(planToken), "name", c.In.String("name")) != nil {
			return refuse("Backup", "CreateBackupPlan", "AlreadyExistsException", "Backup plan with the same plan document already exists (%s)", c.In.String("name"))
		}
		c.ID = c.Gen.UUID("plan")
		c.Out["arn"] = arn("backup", c.Scope, "backup-plan:"+c.ID)
		return nil
	})
}

func writePlan(c *cloud.Call) error {
	op := operation(c, "CreateBackupPlan", "UpdateBackupPlan")
	bad := func(format string, args ...any) error {
		return refuse("Backup", op, "InvalidParameterValueException", format, args...)
	}
	names := map[string]bool{}
	for _, r := range c.In.Objects("rules") {
		name, vault := r.String("ruleName"), r.String("targetVaultName")
		if names[name] || !backupName.MatchString(name) {
			return bad("Invalid rule name %q: each is used once, with up to 50 letters, numbers and - _ .", name)
		}
		names[name] = true
		if c.Find(vaultToken, vault) == nil {
			return refuse("Backup", op, "ResourceNotFoundException", "Backup vault %s does not exist", vault)
		}
		if e := r.String("schedule"); e != "" {
			if why := scheduleProblem(e); why != "" || !strings.HasPrefix(e, "cron(") {
				return bad("Invalid schedule expression %s: AWS Backup takes cron(…) only. %s", e, why)
			}
		}
		if s, w := r.Int("startWindow"), r.Int("completionWindow"); s > 0 && s < 60 {
			return bad("Invalid start window %d: at least 60 minutes", s)
		} else if w > 0 && w < s+60 {
			return bad("Invalid completion window %d: at least 60 minutes longer than the start window %d", w, s)
		}
		lifecycles := []cloud.Object{r.Object("lifecycle")}
		for _, copyAction := range r.Objects("copyActions") {
			if !isARN(copyAction.String("destinationVaultArn"), "backup") {
				return bad("Invalid destination vault ARN %q", copyAction.String("destinationVaultArn"))
			}
			lifecycles = append(lifecycles, copyAction.Object("lifecycle"))
		}
		for _, l := range lifecycles {
			if cold, del := l.Int("coldStorageAfter"), l.Int("deleteAfter"); cold > 0 && del > 0 && del < cold+90 {
				return bad("Invalid lifecycle of rule %s: DeleteAfterDays (%d) cannot be less than 90 days apart from MoveToColdStorageAfterDays (%d)", name, del, cold)
			}
		}
		if r.Bool("enableContinuousBackup") {
			if d := r.Int("lifecycle.deleteAfter"); d < 1 || d > 35 || r.Int("lifecycle.coldStorageAfter") > 0 {
				return bad("Invalid lifecycle of rule %s: continuous backups are kept 1 to 35 days, never in cold storage (deleteAfter is %d)", name, d)
			}
		}
	}
	c.Out["version"] = c.Gen.Pick("version"+policyText(c.In), letters+"0123456789", 48)
	return nil
}

func selectionType() cloud.Type {
	return cloud.Type{
		Token: selectionToken,
		Create: func(c *cloud.Call) error {
			bad := func(code, format string, args ...any) error {
				return refuse("Backup", "CreateBackupSelection", code, format, args...)
			}
			role := c.In.String("iamRoleArn")
			switch {
			case c.Find(planToken, c.In.String("planId")) == nil:
				return bad("ResourceNotFoundException", "Cannot find Backup plan with ID %s", c.In.String("planId"))
			case !backupName.MatchString(c.In.String("name")):
				return bad("InvalidParameterValueException", "Invalid selection name %q: up to 50 letters, numbers and - _ .", c.In.String("name"))
			case !roleARN(c.World, role):
				return bad("InvalidParameterValueException", "IAM Role %s does not exist", role)
			case !trusts(c.World, role, "backup.amazonaws.com"):
				return bad("InvalidParameterValueException", "IAM Role %s is not authorized to be assumed by AWS Backup", role)
			case len(c.In.Strings("resources")) == 0 && len(c.In.Objects("selectionTags")) == 0 && len(c.In.Strings("notResources")) == 0:
				return bad("InvalidParameterValueException", "A selection needs resources, notResources or selectionTags")
			}
			for _, r := range append(c.In.Strings("resources"), c.In.Strings("notResources")...) {
				if r != "*" && !strings.HasPrefix(r, "arn:") {
					return bad("InvalidParameterValueException", "Invalid ARN: %s", r)
				}
			}
			c.ID = c.Gen.UUID("selection")
			computed(c, "notResources", []string{})
			computed(c, "conditions", []any{})
			return nil
		},
	}
}
