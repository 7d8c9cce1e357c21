package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"apostille/broker/keyring"
)

//go:embed demo/apostille.toml
var demoText string

var demoConfig = template.Must(template.New("apostille.toml").Option("missingkey=error").Parse(demoText))

// Secrets of the demo's clients at the broker. They are public: dev mode accepts them as text.
const (
	replenishmentSecret = "fake-secret-replenishment-west"
	ddstoreSecret       = "fake-secret-ddstore-west"
	portalSecret        = "fake-secret-portal-west"
	ordersSecret        = "fake-secret-orders-west"
)

// The broker as a client of the two home offices.
const (
	officeClient = "west"
	officeSecret = "fake-secret-west-at-the-offices"
)

// urls are the parties' addresses. Each has its own host name: cookies and audiences ignore ports.
type urls struct {
	HeadOffice, Broker, Warehouse, DDStore string
	Region, East, Portal, Orders           string

	BrokerAddress string // host:port the broker listens on
}

func (u urls) tokenURL() string { return u.Broker + "/oauth2/token" }

// writeConfig writes the broker's folder: its configuration, its key file and the certificate of the office that speaks SAML. It returns the
// configuration file.
func (u urls) writeConfig(folder string, east []byte) (string, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", err
	}
	var text strings.Builder
	err := demoConfig.Execute(&text, struct {
		urls
		ReplenishmentSecret, DDStoreSecret, PortalSecret, OrdersSecret string
		OfficeClient, OfficeSecret                                     string
	}{u, replenishmentSecret, ddstoreSecret, portalSecret, ordersSecret, officeClient, officeSecret})
	if err != nil {
		return "", fmt.Errorf("writing the demo's configuration: %w", err)
	}
	file := filepath.Join(folder, "apostille.toml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(folder, "east.pem"), east, 0o600); err != nil {
		return "", err
	}
	return file, keyring.NewKEKFile(filepath.Join(folder, "apostille.key"))
}
