package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// databaseTypes are RDS and Aurora.
func databaseTypes() []cloud.Type {
	return []cloud.Type{
		dbInstance(), dbCluster(), clusterInstance(), globalCluster(), dbSubnetGroup(),
		dbParameters(dbParametersType, "pg"), dbParameters(clusterParamsType, "cluster-pg"),
		dbProxy(), proxyDefault(), proxyTarget(),
	}
}

// rds is an error of the RDS API.
func rds(operation, code, format string, args ...any) error {
	status := 400
	if strings.Contains(code, "NotFound") {
		status = 404
	}
	return refuseStatus(status, "RDS", operation, code, format, args...)
}

var (
	dbIdentifier = regexp.MustCompile(`^[a-z][0-9a-z-]*$`)
	dbWindow     = regexp.MustCompile(`^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$`)
	weekWindow   = regexp.MustCompile(`(?i)^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):([0-5]\d)-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):([0-5]\d)$`)
	snapshotID   = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z-]*$`)
)

// checkIdentifier holds the provider's checks of database identifiers.
func checkIdentifier(c *cloud.CheckCall, properties ...string) {
	for _, key := range properties {
		v := c.In.String(key)
		if v == "" {
			continue
		}
		switch {
		case len(v) > 63:
			c.Fail(key, "%q cannot be greater than 63 characters, got %d", key, len(v))
		case !dbIdentifier.MatchString(v):
			c.Fail(key, "only lowercase alphanumeric characters and hyphens allowed in %q, first character must be a letter: %q", key, v)
		case strings.Contains(v, "--"):
			c.Fail(key, "%q cannot contain two consecutive hyphens: %q", key, v)
		case strings.HasSuffix(v, "-") && !strings.HasSuffix(key, "Prefix"):
			c.Fail(key, "%q cannot end in a hyphen: %q", key, v)
		}
	}
}

// checkWindows holds the provider's checks of backup and maintenance windows, and of the final
// snapshot's name.
func checkWindows(c *cloud.CheckCall, backup, maintenance string) {
	if v := c.In.String(backup); v != "" && !dbWindow.MatchString(v) {
		c.Fail(backup, "%q must satisfy the format of \"hh24:mi-hh24:mi\", got %q", backup, v)
	}
	if v := c.In.String(maintenance); v != "" && !weekWindow.MatchString(v) {
		c.Fail(maintenance, "%q must satisfy the format of \"ddd:hh24:mi-ddd:hh24:mi\", got %q", maintenance, v)
	}
	v := c.In.String("finalSnapshotIdentifier")
	if v != "" && (!snapshotID.MatchString(v) || strings.Contains(v, "--") || strings.HasSuffix(v, "-")) {
		c.Fail("finalSnapshotIdentifier", "only alphanumeric characters and hyphens allowed in \"final_snapshot_identifier\", it must begin with a letter and cannot end with a hyphen or contain two in a row: %q", v)
	}
	for _, key := range []string{"kmsKeyId", "performanceInsightsKmsKeyId", "monitoringRoleArn"} {
		if v := c.In.String(key); v != "" && !strings.HasPrefix(v, "arn:") {
			c.Fail(key, "%q (%s) is an invalid ARN: arn: invalid prefix", key, v)
		}
	}
}

// windows refuses a backup window inside the maintenance window, or shorter than half an hour.
func windows(op string, c *cloud.Call, backup, maintenance string) error {
	b, m := dbWindow.FindStringSubmatch(c.In.String(backup)), weekWindow.FindStringSubmatch(c.In.String(maintenance))
	minute := func(h, m string) int { return 60*cloud.Object{"n": h}.Int("n") + cloud.Object{"n": m}.Int("n") }
	var from, to int
	if b != nil {
		from, to = minute(b[1], b[2]), minute(b[3], b[4])
		if to <= from {
			to += 24 * 60
		}
		if to-from < 30 {
			return rds(op, "InvalidParameterValue", "The backup window must be at least 30 minutes.")
		}
	}
	if b == nil || m == nil || !strings.EqualFold(m[1], m[4]) {
		return nil
	}
	begin, end := minute(m[2], m[3]), minute(m[5], m[6])
	if end-begin >= 0 && end-begin < 30 {
		return rds(op, "InvalidParameterValue", "The maintenance window must be at least 30 minutes.")
	}
	if from < end && begin < to || from < end+24*60 && begin+24*60 < to {
		return rds(op, "InvalidParameterValue", "The backup window and maintenance window must not overlap.")
	}
	return nil
}

// dbPlace refuses a subnet group and security groups that do not go together; it returns the VPC.
func dbPlace(c *cloud.Call, op, kind string) (string, error) {
	name := c.Out.String("dbSubnetGroupName")
	if name == "" {
		return "", rds(op, "InvalidSubnet", "No default subnet detected in VPC. Please contact AWS Support to recreate the default Subnets.")
	}
	g := byProperty(c.All(dbSubnetGroupType), "name", name)
	if g == nil {
		return "", rds(op, "DBSubnetGroupNotFoundFault", "DBSubnetGroup '%s' not found.", name)
	}
	vpc := g.Out.String("vpcId")
	if group, at := misplacedGroup(c.World, c.Scope, c.In.Strings("vpcSecurityGroupIds"), vpc); group != "" {
		if at == "" {
			return "", rds(op, "InvalidParameterValue", "Invalid security group , groupId= %s, groupName=.", group)
		}
		return "", rds(op, "InvalidParameterCombination", "The %s and EC2 security group are in different VPCs. The %s is in %s and the EC2 security group is in %s", kind, kind, vpc, at)
	}
	if !c.In.Has("vpcSecurityGroupIds") && !updating(c) {
		c.Out["vpcSecurityGroupIds"] = defaultGroup(c, vpc)
	}
	return vpc, nil
}

// dbKeys refuses keys that RDS cannot use here.
func dbKeys(c *cloud.Call, op string) error {
	for _, key := range []string{"kmsKeyId", "performanceInsightsKmsKeyId", "masterUserSecretKmsKeyId"} {
		ref := c.In.String(key)
		if reason := keyUsable(c, ref); reason != "" {
			return rds(op, "KMSKeyNotAccessibleFault", "The specified KMS key [%s] does not exist, is not enabled or you do not have permissions to access it. (%s)", ref, reason)
		}
	}
	if c.In.Has("kmsKeyId") && c.In.Has("storageEncrypted") && !c.In.Bool("storageEncrypted") {
		return rds(op, "InvalidParameterCombination", "KmsKeyId can only be specified for encrypted storage: set StorageEncrypted.")
	}
	if c.In.Has("masterUserSecretKmsKeyId") && !c.In.Bool("manageMasterUserPassword") {
		return rds(op, "InvalidParameterCombination", "MasterUserSecretKmsKeyId can only be specified together with ManageMasterUserPassword.")
	}
	return nil
}

// insights refuses Performance Insights, monitoring and log exports that RDS does not have.
func insights(c *cloud.Call, op, engine, version string) error {
	retention := c.In.Int("performanceInsightsRetentionPeriod")
	if c.In.Has("performanceInsightsRetentionPeriod") && retention != 0 {
		if !c.In.Bool("performanceInsightsEnabled") {
			return rds(op, "InvalidParameterCombination", "PerformanceInsightsRetentionPeriod can only be specified when Performance Insights is enabled.")
		}
		if retention != 7 && retention != 731 && (retention%31 != 0 || retention < 31 || retention > 713) {
			return rds(op, "InvalidParameterValue", "Invalid Performance Insights retention period. Valid values are: 7, 731 and multiples of 31 up to 713, got %d", retention)
		}
	}
	if c.In.String("databaseInsightsMode") == "advanced" && (!c.In.Bool("performanceInsightsEnabled") || retention < 465) {
		return rds(op, "InvalidParameterCombination", "To enable the Advanced mode of Database Insights, Performance Insights must be enabled with a retention period of at least 465 days.")
	}
	interval, role := c.In.Int("monitoringInterval"), c.In.String("monitoringRoleArn")
	if !slices.Contains([]int{0, 1, 5, 10, 15, 30, 60}, interval) {
		return rds(op, "InvalidParameterValue", "Invalid monitoring interval: %d. Valid values are 0, 1, 5, 10, 15, 30, 60", interval)
	}
	if interval > 0 && role == "" {
		return rds(op, "InvalidParameterCombination", "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.")
	}
	if role != "" && (!roleARN(c.World, role) || !trusts(c.World, role, "monitoring.rds.amazonaws.com")) {
		return rds(op, "InvalidParameterValue", "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING")
	}
	for _, l := range c.In.Strings("enabledCloudwatchLogsExports") {
		if !slices.Contains(logTypesOf[engine], l) {
			return rds(op, "InvalidParameterCombination", "You cannot use the log types '%s' with engine version %s %s. For supported log types, see the documentation.", l, engine, version)
		}
	}
	if ca := c.In.String("caCertIdentifier"); ca != "" && !slices.Contains(certificateAuthorities, ca) {
		return rds(op, "CertificateNotFound", "Certificate not found: %s", ca)
	}
	return nil
}

// masterUser refuses names and passwords of the first user.
func masterUser(c *cloud.Call, op, engine, nameKey, passwordKey string) error {
	name, password := c.In.String(nameKey), c.In.String(passwordKey)
	reserved := []string{"rdsadmin", "admin", "rds_superuser", "rdsrepladmin", "rds_password", "postgresql", "public"}
	if strings.Contains(engine, "mysql") || engine == "mariadb" {
		reserved = []string{"rdsadmin", "rdsrepladmin", "root"}
	}
	switch {
	case slices.Contains(reserved, strings.ToLower(name)):
		return rds(op, "InvalidParameterValue", "MasterUsername %s cannot be used as it is a reserved word used by the engine", name)
	case name != "" && !regexp.MustCompile(`^[A-Za-z][0-9A-Za-z_]{0,62}$`).MatchString(name):
		return rds(op, "InvalidParameterValue", "The parameter MasterUsername must begin with a letter and contain only alphanumeric characters and underscores.")
	}
	if password == "" {
		return nil
	}
	switch {
	case strings.ContainsAny(password, "/@\" ") || strings.ContainsFunc(password, func(r rune) bool { return r < 32 || r > 126 }):
		return rds(op, "InvalidParameterValue", "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.")
	case len(password) < 8:
		return rds(op, "InvalidParameterValue", "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters.")
	case len(password) > 128:
		return rds(op, "InvalidParameterValue", "The parameter MasterUserPassword is not a valid password because it is longer than 128 characters.")
	}
	return nil
}

// managedSecret fills in the secret that RDS keeps for the first user.
func managedSecret(c *cloud.Call, kind string) {
	if !c.In.Bool("manageMasterUserPassword") {
		c.Out["masterUserSecrets"] = []any{}
		return
	}
	if len(c.Out.Objects("masterUserSecrets")) > 0 {
		return
	}
	name := fmt.Sprintf("secret:rds!%s-%s-%s", kind, c.Gen.UUID("secret"), c.Gen.Pick("suffix", letters, 6))
	key := c.In.String("masterUserSecretKmsKeyId")
	if key == "" {
		key = arn("kms", c.Scope, "key/"+requestID("aws/secretsmanager", c.Scope))
	}
	computed(c, "masterUserSecretKmsKeyId", key)
	c.Out["masterUserSecrets"] = []any{cloud.Object{"kmsKeyId": key, "secretArn": arn("secretsmanager", c.Scope, name), "secretStatus": "active"}}
}

// dbHost is the domain that RDS gives an account's databases in a region.
func dbHost(region string) string {
	sum := cloud.Gen{Seed: "rds" + region}
	return "c" + sum.Pick("host", lower, 11) + "." + region + ".rds.amazonaws.com"
}

// dbZone is the hosted zone of database endpoints in a region.
func dbZone(region string) string {
	known := map[string]string{"eu-west-1": "Z29XKXDKYMONMX", "us-east-1": "Z2R2ITUGPM61AM", "eu-central-1": "Z1RLNUO7B9Q6NB", "us-west-2": "Z1PVIF0B656C1W"}
	if z := known[region]; z != "" {
		return z
	}
	return "Z" + strings.ToUpper(fixed(13, "rds", region))
}

// finalSnapshot takes the snapshot that a deletion leaves behind, or refuses the deletion.
func finalSnapshot(c *cloud.Call, kind, op, already string) error {
	if c.Old.Bool("skipFinalSnapshot") {
		return nil
	}
	name := c.Old.String("finalSnapshotIdentifier")
	if name == "" {
		return cloud.Refuse("InvalidParameterCombination", "final_snapshot_identifier is required when skip_final_snapshot is false (InvalidParameterCombination: FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified)")
	}
	if remembered(c, kind, name) != nil {
		return rds(op, already, "Cannot create the snapshot because a snapshot with the identifier %s already exists.", name)
	}
	remember(c, kind, name, cloud.Object{
		"arn": arn("rds", c.Scope, "snapshot:"+name), "engine": c.Out["engine"], "engineVersion": c.Out["engineVersionActual"],
		"allocatedStorage": c.Out["allocatedStorage"], "username": c.Out["username"], "masterUsername": c.Out["masterUsername"], "kmsKeyId": c.Out["kmsKeyId"],
	})
	return nil
}

// snapshot finds a snapshot that a deletion left behind, by name or ARN.
func snapshot(c *cloud.Call, kind, ref string) *cloud.Resource {
	if isARN(ref, "rds") {
		ref = ref[strings.LastIndex(ref, ":")+1:]
	}
	return remembered(c, kind, ref)
}
