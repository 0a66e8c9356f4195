package aws

import (
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var groupName = regexp.MustCompile(`^[0-9a-z _.-]+$`)

func dbSubnetGroup() cloud.Type {
	inUse := func(self, by *cloud.Resource) error {
		return rds("DeleteDBSubnetGroup", "InvalidDBSubnetGroupStateFault", "Cannot delete the subnet group '%s' because at least one database instance: %s is still using it.",
			self.Out.String("name"), orText(by.Out.String("identifier"), by.Out.String("clusterIdentifier")))
	}
	return written(cloud.Type{
		Token: dbSubnetGroupType,
		Check: func(c *cloud.CheckCall) {
			name := c.In.String("name")
			switch {
			case name == "":
			case len(name) > 255:
				c.Fail("name", "\"name\" cannot be longer than 255 characters")
			case !groupName.MatchString(name):
				c.Fail("name", "only lowercase alphanumeric characters, hyphens, underscores, periods, and spaces allowed in \"name\": %q", name)
			case name == "default":
				c.Fail("name", "\"default\" is not allowed as \"name\"")
			}
		},
		InUse: []cloud.Ref{
			{Type: dbInstanceType, Path: "dbSubnetGroupName", By: "name", Error: inUse}, {Type: dbClusterType, Path: "dbSubnetGroupName", By: "name", Error: inUse},
		},
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(1)},
	}, func(c *cloud.Call) error {
		op := operation(c, "CreateDBSubnetGroup", "ModifyDBSubnetGroup")
		p := place(c.World, c.Scope, c.In.Strings("subnetIds"))
		switch {
		case len(p.missing) > 0:
			return rds(op, "InvalidSubnet", "Some input subnets in :[%s] are invalid.", list(p.missing))
		case len(p.vpcs) > 1:
			return rds(op, "InvalidSubnet", "The subnets of a DB subnet group must be in one VPC, got %s.", list(p.vpcs))
		case len(p.zones) < 2:
			return rds(op, "DBSubnetGroupDoesNotCoverEnoughAZs", "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: %s. Add subnets to cover at least 2 AZs.", list(p.zones))
		}
		if before := c.Out.String("vpcId"); updating(c) && before != "" && before != p.vpcs[0] {
			return rds(op, "InvalidSubnet", "The new Subnets are not in the same Vpc as the existing subnet group")
		}
		c.Out["vpcId"] = p.vpcs[0]
		return nil
	}, func(c *cloud.Call) error {
		name := c.In.String("name")
		if c.Clash("name") != nil {
			return rds("CreateDBSubnetGroup", "DBSubnetGroupAlreadyExists", "The DB subnet group '%s' already exists.", name)
		}
		c.ID = name
		c.Out["arn"] = arn("rds", c.Scope, "subgrp:"+name)
		c.Out["supportedNetworkTypes"] = []any{"IPV4"}
		return nil
	})
}

// staticParameters only take effect after a restart.
var staticParameters = strings.Fields(`shared_preload_libraries max_connections shared_buffers rds.logical_replication track_activity_query_size
wal_buffers max_worker_processes max_wal_senders max_replication_slots max_locks_per_transaction max_prepared_transactions huge_pages
autovacuum_max_workers autovacuum_freeze_max_age superuser_reserved_connections track_commit_timestamp max_logical_replication_workers
rds.custom_dns_resolution apg_plan_mgmt.plan_hash_version max_pred_locks_per_transaction old_snapshot_threshold
innodb_buffer_pool_instances performance_schema lower_case_table_names log_bin_use_v1_row_events`)

// switches take 0 and 1 only.
var switches = []string{"rds.force_ssl", "log_connections", "log_disconnections", "log_lock_waits", "rds.logical_replication", "require_secure_transport",
	"log_checkpoints", "log_duration", "autovacuum", "rds.force_admin_logging_level_off"}

var dbParameterName = regexp.MustCompile(`^[a-z][0-9a-z_.-]*$`)

func dbParameters(token, arnKind string) cloud.Type {
	inUse := func(self, by *cloud.Resource) error {
		return rds("DeleteDBParameterGroup", "InvalidDBParameterGroupState", "One or more database instances are still members of this parameter group %s, so the group cannot be deleted", self.Out.String("name"))
	}
	refs := []cloud.Ref{
		{Type: dbInstanceType, Path: "parameterGroupName", By: "name", Error: inUse}, {Type: clusterInstanceType, Path: "dbParameterGroupName", By: "name", Error: inUse},
	}
	if token == clusterParamsType {
		refs = []cloud.Ref{{Type: dbClusterType, Path: "dbClusterParameterGroupName", By: "name", Error: inUse}}
	}
	return written(cloud.Type{
		Token: token,
		Check: func(c *cloud.CheckCall) {
			checkIdentifierLike(c, "name", `^[a-z][0-9a-z.-]*$`)
		},
		InUse: refs,
		Same: func(property string, old, new any) bool {
			return strings.HasSuffix(property, "value") && strings.EqualFold(cloud.Text(old), cloud.Text(new))
		},
		Takes: cloud.Durations{Create: seconds(3), Update: seconds(3), Delete: seconds(1)},
	}, func(c *cloud.Call) error {
		op := "ModifyDBParameterGroup"
		if token == clusterParamsType {
			op = "ModifyDBClusterParameterGroup"
		}
		if f := c.In.String("family"); !knownFamily(f) {
			return rds(strings.Replace(op, "Modify", "Create", 1), "InvalidParameterValue", "ParameterGroupFamily %s is not a valid parameter group family", f)
		}
		seen := map[string]bool{}
		for _, p := range c.In.Objects("parameters") {
			if err := parameter(op, p, seen); err != nil {
				return err
			}
		}
		return nil
	}, func(c *cloud.Call) error {
		name := c.In.String("name")
		if c.Clash("name") != nil {
			return rds("CreateDBParameterGroup", "DBParameterGroupAlreadyExists", "Parameter group %s already exists", name)
		}
		c.ID = name
		c.Out["arn"] = arn("rds", c.Scope, arnKind+":"+name)
		return nil
	})
}

func parameter(op string, p cloud.Object, seen map[string]bool) error {
	name, value, method := p.String("name"), p.String("value"), orText(p.String("applyMethod"), "immediate")
	switch {
	case !dbParameterName.MatchString(name):
		return rds(op, "InvalidParameterValue", "Could not find parameter with name: %s", name)
	case seen[name]:
		return rds(op, "InvalidParameterValue", "Parameter %s is given more than once", name)
	case method != "immediate" && method != "pending-reboot":
		return rds(op, "InvalidParameterValue", "Invalid apply method: %s. Valid values are immediate and pending-reboot", method)
	case slices.Contains(staticParameters, name) && method == "immediate":
		return rds(op, "InvalidParameterCombination", "cannot use immediate apply method for static parameter (%s)", name)
	case slices.Contains(switches, name) && !slices.Contains([]string{"0", "1", "on", "off", "ON", "OFF"}, value):
		return rds(op, "InvalidParameterValue", "Invalid parameter value: %s for: %s allowed values are: 0,1", value, name)
	}
	seen[name] = true
	return nil
}

// checkIdentifierLike holds the provider's checks of parameter group names.
func checkIdentifierLike(c *cloud.CheckCall, key, form string) {
	v := c.In.String(key)
	switch {
	case v == "":
	case !regexp.MustCompile(form).MatchString(v):
		c.Fail(key, "only lowercase alphanumeric characters, periods, and hyphens allowed in %q, first character must be a letter: %q", key, v)
	case strings.Contains(v, "--") || strings.HasSuffix(v, "-"):
		c.Fail(key, "%q cannot contain two consecutive hyphens or end with one: %q", key, v)
	case len(v) > 255:
		c.Fail(key, "%q cannot be greater than 255 characters", key)
	}
}

// parametersFit refuses a parameter group that does not exist or is for another engine version.
func parametersFit(c *cloud.Call, op, typ, name, family string) error {
	if strings.HasPrefix(name, "default.") {
		if name != "default."+family {
			return rds(op, "InvalidParameterCombination", "The parameter group %s can't be used for this instance. Please use a parameter group with DBParameterGroupFamily %s", name, family)
		}
		return nil
	}
	g := byProperty(c.All(typ), "name", name)
	if g == nil {
		kind := "DBParameterGroup"
		if typ == clusterParamsType {
			kind = "DBClusterParameterGroup"
		}
		return rds(op, kind+"NotFound", "%s not found: %s", kind, name)
	}
	if f := g.Out.String("family"); f != family {
		return rds(op, "InvalidParameterCombination", "The parameter group %s with DBParameterGroupFamily %s can't be used for this instance. Please use a parameter group with DBParameterGroupFamily %s", name, f, family)
	}
	return nil
}
