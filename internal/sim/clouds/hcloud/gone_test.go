package hcloud

import (
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

// When a server disappears, its attachments do too: a refresh must find both gone, or the next up would
// update an attachment to nothing.
func TestAttachmentsGoWithTheirServer(t *testing.T) {
	s := simtest.New(t, Package())
	network := s.Must(networkType, "n", simtest.Props{"ipRange": "10.0.0.0/16"})
	s.Must("hcloud:index/networkSubnet:NetworkSubnet", "s", simtest.Props{
		"networkId": network.ID, "type": "cloud", "networkZone": "eu-central", "ipRange": "10.0.1.0/24"})
	machine := s.Must(serverType, "m", simtest.Props{"serverType": "cpx32", "image": "ubuntu-24.04", "location": "nbg1"})
	disk := s.Must("hcloud:index/volume:Volume", "v", simtest.Props{"size": 10, "location": "nbg1"})
	volume := s.Must(volumeAttachmentType, "va", simtest.Props{"volumeId": disk.ID, "serverId": machine.ID})
	place := s.Must(serverNetworkType, "sn", simtest.Props{"networkId": network.ID, "serverId": machine.ID})
	if out, err := s.Read(volume); err != nil || out == nil {
		t.Fatalf("the attachment of a server that is there: %v %v", out, err)
	}
	s.World.Remove(machine.Scope, machine.Type, machine.ID)
	if out, err := s.Read(volume); err != nil || out != nil {
		t.Errorf("the volume's attachment is still there: %v %v", out, err)
	}
	if out, err := s.Read(place); err != nil || out != nil {
		t.Errorf("the network's attachment is still there: %v %v", out, err)
	}
}
