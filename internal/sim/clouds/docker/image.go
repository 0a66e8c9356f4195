package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// digest is the content's digest that the parts stand for. The same tag has the same content on every
// host, as it has in a registry nobody pushes to.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// parseImage reads an image reference ("nginx", "ghcr.io/a/b:1", "a@sha256:…").
func parseImage(name string) (reference.Named, error) {
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil, cloud.Refuse("", "invalid reference format: %q is not an image name like registry/repository:tag or repository@sha256:…", name)
	}
	return ref, nil
}

// content gives the ids that a registry would have for the image.
func content(ref reference.Named, salt ...string) (id, repoDigest string) {
	d := digest(append([]string{"manifest", ref.String()}, salt...)...)
	if pinned, ok := ref.(reference.Digested); ok {
		d = pinned.Digest().String()
	}
	return digest("config", d), reference.FamiliarName(ref) + "@" + d
}

// checkImage refuses a property that is no image reference.
func checkImage(property string) func(*cloud.CheckCall) {
	return func(c *cloud.CheckCall) {
		if c.In.Known(property) {
			if _, err := parseImage(c.In.String(property)); err != nil {
				c.Fail(property, "%v", err)
			}
		}
	}
}

func remoteImage() cloud.Type {
	return cloud.Type{
		Token:  remoteImageType,
		Check:  checkImage("name"),
		Create: createRemoteImage,
		Delete: deleteRemoteImage,
		Takes:  cloud.Durations{Create: 20 * time.Second},
	}
}

// reachableImage reads a reference for a daemon that has to answer.
func reachableImage(c *cloud.Call, name string) (reference.Named, error) {
	if err := reachable(c); err != nil {
		return nil, err
	}
	return parseImage(name)
}

func createRemoteImage(c *cloud.Call) error {
	name := c.In.String("name")
	ref, err := reachableImage(c, name)
	if err != nil {
		return err
	}
	var salt []string
	if c.In.Has("pullTriggers") || c.In.Has("triggers") || c.In.String("platform") != "" {
		triggers, _ := json.Marshal([]any{c.In["pullTriggers"], c.In["triggers"], c.In["platform"]})
		salt = append(salt, string(triggers))
	}
	if build := c.In["build"]; build != nil {
		// What is built is its own, each time it is built.
		salt = append(salt, c.Gen.Hex("build", 16))
	}
	id, repoDigest := content(ref, salt...)
	c.Out["imageId"], c.Out["repoDigest"] = id, repoDigest
	if c.In["build"] != nil {
		c.Out["repoDigest"] = ""
	}
	c.ID = id + name
	for n := 2; c.Find(remoteImageType, c.ID) != nil; n++ {
		// Several resources may stand for one image; state needs to tell them apart.
		c.ID = fmt.Sprintf("%s%s#%d", id, name, n)
	}
	return nil
}

func deleteRemoteImage(c *cloud.Call) error {
	if err := reachable(c); err != nil || c.Out.Bool("keepLocally") || c.Out.Bool("forceRemove") {
		return err
	}
	id, name := c.Out.String("imageId"), c.Out.String("name")
	// As long as another resource stands for the same image, it is not the image that goes.
	for _, other := range c.All(remoteImageType) {
		if other.Out.String("imageId") == id {
			return nil
		}
	}
	for _, r := range users(c, func(o cloud.Object) bool { i := o.String("image"); return i == id || i == name }) {
		return cloud.Refuse("conflict", "unable to delete %s (cannot be forced) - image is being used by running container %s (%s)", id[:19], r.ID[:12], r.Out.String("name"))
	}
	return nil
}

// hasImage tells whether the host has the image, by id or name.
func hasImage(c *cloud.Call, image string) bool {
	for _, r := range slices.Concat(c.All(remoteImageType), c.All(imageType), c.All(tagType)) {
		for _, p := range []string{"imageId", "name", "imageName", "repoDigest", "targetImage", "sourceImageId"} {
			if r.Out.String(p) == image {
				return true
			}
		}
	}
	return false
}

// image is the provider's own builder.
func image() cloud.Type {
	return cloud.Type{
		Token:  imageType,
		Check:  checkImage("imageName"),
		Create: buildImage,
		Update: buildImage,
		Delete: reachable,
		Recomputed: map[string][]string{
			"*": {"repoDigest"},
		},
		Takes: cloud.Durations{Create: 60 * time.Second, Update: 60 * time.Second},
	}
}

func buildImage(c *cloud.Call) error {
	ref, err := reachableImage(c, c.In.String("imageName"))
	if err != nil {
		return err
	}
	spec, _ := json.Marshal(c.In["build"])
	_, repoDigest := content(ref, string(spec))
	c.Out["baseImageName"] = c.In.String("imageName")
	c.Out["registryServer"] = reference.Domain(ref)
	c.Out["context"], c.Out["dockerfile"] = c.In.String("build.context"), c.In.String("build.dockerfile")
	if c.Out["dockerfile"] == "" {
		c.Out["dockerfile"] = "Dockerfile"
	}
	c.Out["platform"] = c.In.String("build.platform")
	c.Out["repoDigest"] = ""
	if !c.In.Bool("skipPush") {
		c.Out["repoDigest"] = repoDigest
	}
	if c.Old == nil {
		c.ID = hexID(c)
	}
	return nil
}

func tag() cloud.Type {
	return cloud.Type{
		Token: tagType,
		Create: func(c *cloud.Call) error {
			if err := reachable(c); err != nil {
				return err
			}
			source, target := c.In.String("sourceImage"), c.In.String("targetImage")
			if _, err := parseImage(target); err != nil {
				return err
			}
			if !hasImage(c, source) {
				return cloud.Refuse("not_found", "No such image: %s", source)
			}
			c.ID = source + "." + target
			c.Out["sourceImageId"] = digest("tag", source)
			return nil
		},
		Delete: reachable,
	}
}

func registryImage() cloud.Type {
	return cloud.Type{
		Token: registryImageType,
		Create: func(c *cloud.Call) error {
			name := c.In.String("name")
			ref, err := reachableImage(c, name)
			if err != nil {
				return err
			}
			if c.In["build"] == nil && !hasImage(c, name) {
				return cloud.Refuse("", "Error pushing docker image: An image does not exist locally with the tag: %s", reference.FamiliarName(ref))
			}
			_, repoDigest := content(ref, c.Gen.Hex("push", 16))
			_, c.Out["sha256Digest"], _ = strings.Cut(repoDigest, "@")
			c.ID = c.Out.String("sha256Digest")
			return nil
		},
		Takes: cloud.Durations{Create: 15 * time.Second},
	}
}
