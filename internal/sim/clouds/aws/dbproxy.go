package aws

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var proxyName = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z-]{0,62}$`)

func dbProxy() cloud.Type {
	return written(cloud.Type{
		Token: dbProxyType,
		Check: func(c *cloud.CheckCall) {
			if name := c.In.String("name"); name != "" && (!proxyName.MatchString(name) || strings.Contains(name, "--") || strings.HasSuffix(name, "-")) {
				c.Fail("name", "%q must begin with a letter, contain only letters, digits and single hyphens, and be at most 63 characters long: %q", "name", name)
			}
		},
		Takes: cloud.Durations{Create: minutes(5), Update: minutes(1), Delete: minutes(3)},
	}, func(c *cloud.Call) error {
		op := operation(c, "CreateDBProxy", "ModifyDBProxy")
		p := place(c.World, c.Scope, c.In.Strings("vpcSubnetIds"))
		switch {
		case len(p.missing) > 0:
			return rds(op, "InvalidSubnet", "Some input subnets in :[%s] are invalid.", list(p.missing))
		case len(p.vpcs) != 1:
			return rds(op, "InvalidSubnet", "The subnets of a proxy must be in one VPC.")
		case len(p.zones) < 2:
			return rds(op, "InvalidSubnet", "DBProxy requires at least 2 subnets in different Availability Zones.")
		}
		if g, _ := misplacedGroup(c.World, c.Scope, c.In.Strings("vpcSecurityGroupIds"), p.vpcs[0]); g != "" {
			return rds(op, "InvalidParameterValue", "The security group %s is not in the VPC %s", g, p.vpcs[0])
		}
		if role := c.In.String("roleArn"); !roleARN(c.World, role) || !trusts(c.World, role, "rds.amazonaws.com") {
			return rds(op, "InvalidParameterValue", "IAM role ARN value is invalid or the role does not trust rds.amazonaws.com: %s", role)
		}
		for _, a := range c.In.Objects("auths") {
			if missing := missingSecret(c, a.String("secretArn")); missing != "" {
				return rds(op, "InvalidParameterValue", "Secret %s not found", missing)
			}
			if a.String("iamAuth") == "REQUIRED" && c.In.Has("requireTls") && !c.In.Bool("requireTls") {
				return rds(op, "InvalidParameterCombination", "IAM authentication requires TLS.")
			}
		}
		return nil
	}, func(c *cloud.Call) error {
		name := c.In.String("name")
		if c.Clash("name") != nil {
			return rds("CreateDBProxy", "DBProxyAlreadyExistsFault", "DB Proxy already exists: %s", name)
		}
		c.ID = name
		c.Out["arn"] = arn("rds", c.Scope, "db-proxy:prx-0"+c.Gen.Hex("proxy", 16))
		c.Out["endpoint"] = strings.ToLower(name) + ".proxy-" + dbHost(c.Scope)
		computed(c, "idleClientTimeout", 1800)
		return nil
	})
}

func proxyDefault() cloud.Type {
	return written(cloud.Type{Token: proxyDefaultType}, func(c *cloud.Call) error {
		return proxyExists(c, "ModifyDBProxyTargetGroup")
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("dbProxyName")
		c.Out["name"] = "default"
		c.Out["arn"] = arn("rds", c.Scope, "target-group:prx-tg-0"+c.Gen.Hex("group", 16))
		return nil
	})
}

func proxyExists(c *cloud.Call, op string) error {
	if name := c.In.String("dbProxyName"); byProperty(c.All(dbProxyType), "name", name) == nil {
		return rds(op, "DBProxyNotFoundFault", "DB proxy %s not found.", name)
	}
	return nil
}

func proxyTarget() cloud.Type {
	return cloud.Type{
		Token: proxyTargetType,
		Create: func(c *cloud.Call) error {
			const op = "RegisterDBProxyTargets"
			if err := proxyExists(c, op); err != nil {
				return err
			}
			proxy := byProperty(c.All(dbProxyType), "name", c.In.String("dbProxyName"))
			kind, id := "RDS_INSTANCE", c.In.String("dbInstanceIdentifier")
			target := byProperty(c.All(dbInstanceType), "identifier", id)
			if cluster := c.In.String("dbClusterIdentifier"); cluster != "" {
				kind, id, target = "TRACKED_CLUSTER", cluster, clusterByID(c, cluster)
			}
			if target == nil {
				return rds(op, "DBInstanceNotFound", "%s not found.", id)
			}
			if postgres := strings.Contains(target.Out.String("engine"), "postgres"); postgres != (proxy.Out.String("engineFamily") == "POSTGRESQL") {
				return rds(op, "InvalidParameterValue", "The engine %s does not match the engine family %s of the proxy.", target.Out.String("engine"), proxy.Out.String("engineFamily"))
			}
			c.ID = fmt.Sprintf("%s/%s/%s/%s", proxy.ID, c.In.String("targetGroupName"), kind, id)
			c.Out["type"], c.Out["rdsResourceId"], c.Out["port"] = kind, id, target.Out["port"]
			c.Out["endpoint"], c.Out["targetArn"], c.Out["trackedClusterId"] = target.Out["address"], "", ""
			if kind == "TRACKED_CLUSTER" {
				c.Out["endpoint"] = ""
			}
			return nil
		},
	}
}
