package docker

import (
	"path"
	"regexp"

	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// DefaultFilesPath is where a service finds its files.
const DefaultFilesPath = "/run/secrets"

// File is a secret or a piece of configuration that the container reads.
type File struct {
	// Name under FilesPath: letters, digits, dots, dashes and underscores.
	Name string
	// Content must not be empty. A secret stays one.
	Content pulumi.StringInput
}

// FilePath is where the file of that name is, when FilesPath is the default.
func FilePath(name string) string { return path.Join(DefaultFilesPath, name) }

// loadedFiles is what a service needs of its files.
type loadedFiles struct {
	mount docker.ContainerVolumeInput
	label docker.ContainerLabelInput
}

// loadFiles puts the files into a volume of their own, which only this service mounts, read-only.
//
// The provider uploads files by copying them to the root of the container, and Docker refuses
// that for a container with a read-only root file system, even when the file's place is in a
// volume. So a second container is created, never started, whose only purpose is to carry the
// volume while the files are written. The service's label with that container's id replaces the
// service when a file changes: programs read their secrets at start.
func loadFiles(ctx *pulumi.Context, name string, a *ServiceArgs, image *docker.RemoteImage, parent pulumi.Resource) (*loadedFiles, error) {
	dir := a.FilesPath
	if dir == "" {
		dir = DefaultFilesPath
	}
	// Not stateful: its content is in Pulumi's state and is written again at need.
	volume, err := docker.NewVolume(ctx, name+"-secrets", &docker.VolumeArgs{
		Name:   pulumi.String(a.ContainerName + "-secrets"),
		Driver: pulumi.String("local"),
		Labels: volumeLabels(a.Platform.labels(nil)),
	}, pulumi.Parent(parent), pulumi.DeleteBeforeReplace(true), pulumi.IgnoreChanges([]string{"labels"}))
	if err != nil {
		return nil, err
	}
	var uploads docker.ContainerUploadArray
	for _, f := range a.Files {
		uploads = append(uploads, docker.ContainerUploadArgs{
			File:    pulumi.String(path.Join(dir, f.Name)),
			Content: f.Content.ToStringOutput().ToStringPtrOutput(),
			// Uploads belong to root whoever reads them. Nothing but the service's own processes
			// can reach the volume.
			Permissions: pulumi.String("0444"),
		})
	}
	loader, err := docker.NewContainer(ctx, name+"-secrets-loader", &docker.ContainerArgs{
		Name:    pulumi.String(a.ContainerName + "-secrets-loader"),
		Image:   image.ImageId,
		Command: stringArray([]string{"true"}),
		Volumes: docker.ContainerVolumeArray{docker.ContainerVolumeArgs{
			VolumeName: volume.Name.ToStringPtrOutput(), ContainerPath: pulumi.String(dir),
		}},
		Uploads: uploads,
		Labels:  containerLabels(a.Platform.labels(map[string]string{"morphee.role": "files"})),

		Start:   pulumi.Bool(false),
		MustRun: pulumi.Bool(false),
		Restart: pulumi.String("no"),

		Memory:     pulumi.Int(16),
		MemorySwap: pulumi.Int(16),
		Cpus:       pulumi.String("0.01"),
		Ulimits:    pidsLimit(16),

		Hostname:        pulumi.String(a.ContainerName + "-files"),
		NetworkMode:     pulumi.String("none"),
		IpcMode:         pulumi.String("private"),
		CgroupnsMode:    pulumi.String("private"),
		Runtime:         pulumi.String("runc"),
		LogDriver:       pulumi.String("none"),
		Privileged:      pulumi.Bool(false),
		PublishAllPorts: pulumi.Bool(false),
		ReadOnly:        pulumi.Bool(false), // see above
		Capabilities:    capabilities(nil),
		SecurityOpts:    pulumi.StringArray{pulumi.String("no-new-privileges:true")},
		Healthcheck:     docker.ContainerHealthcheckArgs{Tests: stringArray([]string{"NONE"})},
		RemoveVolumes:   pulumi.Bool(true),
		// Replacing the loader takes the service down (its label depends on the loader), so whatever the
		// service waits for, the loader has to wait for as well.
	}, pulumi.Parent(parent), pulumi.DeleteBeforeReplace(true), pulumi.DependsOn(a.After))
	if err != nil {
		return nil, err
	}
	return &loadedFiles{
		mount: docker.ContainerVolumeArgs{
			VolumeName: volume.Name.ToStringPtrOutput(), ContainerPath: pulumi.String(dir), ReadOnly: pulumi.Bool(true),
		},
		label: docker.ContainerLabelArgs{Label: pulumi.String("morphee.files"), Value: loader.ID().ToStringOutput()},
	}, nil
}

var filePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$`)

func checkFiles(p *base.Problems, a *ServiceArgs) {
	seen := map[string]bool{}
	for _, f := range a.Files {
		p.Require(filePattern.MatchString(f.Name), "Files", f.Name, "a file name of letters, digits, dots, dashes and underscores", "")
		p.Require(!seen[f.Name], "Files", f.Name, "each name once", "")
		p.Require(f.Content != nil, "Files", f.Name+" without content", "content", "")
		seen[f.Name] = true
	}
	p.Require(a.FilesPath == "" || path.IsAbs(a.FilesPath), "FilesPath", a.FilesPath, "an absolute path", "")
}
