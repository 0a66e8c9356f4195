package aws

import (
	"fmt"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func updateInstanceDB(c *cloud.Call) error {
	const op = "ModifyDBInstance"
	engine, was := c.Out.String("engine"), c.Out.String("engineVersionActual")
	if c.Clash("identifier") != nil {
		return rds(op, "DBInstanceAlreadyExists", "DB instance already exists")
	}
	version := was
	if asked := c.In.String("engineVersion"); asked != "" && asked != c.Old.String("engineVersion") {
		version = actualVersion(c.World, engine, asked)
		if err := upgrade(c, op, engine, was, version, asked); err != nil {
			return err
		}
	}
	if c.In.Has("dbSubnetGroupName") && c.Old.String("dbSubnetGroupName") != c.In.String("dbSubnetGroupName") {
		return movedSubnetGroup(c, op, c.Old.String("dbSubnetGroupName"), c.In.String("dbSubnetGroupName"), c.In.String("identifier"))
	}
	if before := c.Old.Int("allocatedStorage"); c.In.Has("allocatedStorage") && c.In.Int("allocatedStorage") < before {
		return rds(op, "InvalidParameterCombination", "Requested storage size (%d) cannot be smaller than the current size (%d)", c.In.Int("allocatedStorage"), before)
	}
	if _, err := dbPlace(c, op, "DB instance"); err != nil {
		return err
	}
	if err := checkInstanceDB(c, op, engine, version); err != nil {
		return err
	}
	c.Out["engineVersionActual"] = version
	id := c.In.String("identifier")
	c.Out["arn"] = arn("rds", c.Scope, "db:"+id)
	c.Out["address"] = id + "." + dbHost(c.Scope)
	c.Out["endpoint"] = fmt.Sprintf("%s:%d", c.Out["address"], c.Out.Int("port"))
	managedSecret(c, "db")
	return nil
}

// upgrade refuses a change of version that RDS does not make.
func upgrade(c *cloud.Call, op, engine, was, version, asked string) error {
	if version == "" {
		return rds(op, "InvalidParameterCombination", "Cannot find version %s for %s", asked, engine)
	}
	if newer(was, version) {
		return rds(op, "InvalidParameterCombination", "Cannot upgrade %s from %s to %s", engine, was, version)
	}
	a, _ := splitVersion(engine, was)
	b, _ := splitVersion(engine, version)
	if a != b && !c.In.Bool("allowMajorVersionUpgrade") {
		return rds(op, "InvalidParameterCombination", "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")
	}
	return nil
}

// movedSubnetGroup refuses a subnet group of the VPC that the database is in already.
func movedSubnetGroup(c *cloud.Call, op, from, to, id string) error {
	a, b := byProperty(c.All(dbSubnetGroupType), "name", from), byProperty(c.All(dbSubnetGroupType), "name", to)
	if b == nil {
		return rds(op, "DBSubnetGroupNotFoundFault", "DBSubnetGroup '%s' not found.", to)
	}
	if a != nil && a.Out.String("vpcId") == b.Out.String("vpcId") {
		return rds(op, "InvalidVPCNetworkStateFault", "You cannot move DB instance %s to subnet group %s. The specified DB subnet group and DB instance are in the same VPC. Choose a DB subnet group in different VPC than the specified DB instance and try again.", id, to)
	}
	return nil
}
