package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"apostille/broker/bearer"
	"apostille/upstream/fake"
	"apostille/upstream/fetch"
)

// brokerStart is how long the demo waits for its broker.
const brokerStart = 15 * time.Second

// cast are the parties of the demo while they run.
type cast struct {
	urls       urls
	configFile string
	logFile    string
	http       *http.Client // reaches the parties by their names

	office, region *fake.Provider
	east           *fake.SAMLProvider
	portal, orders *fake.App

	failed chan error // a party that ended by itself; buffered for all of them
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// start starts the parties one after the other. The cast is never nil: what was started is there to be stopped.
func (d *demo) start(ctx context.Context, folder string) (*cast, error) {
	c := &cast{
		failed: make(chan error, demoPorts), logFile: filepath.Join(folder, "broker.log"),
		http: fetch.New(fetch.Options{Dev: true}).Client(nil, true),
	}
	ctx, c.cancel = context.WithCancel(ctx)
	places, err := openPlaces(d.portBase)
	if err != nil {
		return c, err
	}
	context.AfterFunc(ctx, func() { _ = places.close() }) // those that no server has taken; closing twice does no harm
	c.urls = places.urls()
	c.east = fake.NewSAMLProvider(fake.SAMLOptions{URL: c.urls.East, Name: "HMart Region East", Parties: partyAt(c.http, c.urls.Broker+"/saml/metadata"), People: []fake.Person{
		{Username: "esra", Name: "Esra Yılmaz", Email: "esra@east.hmart.example", Department: "logistics"},
		{Username: "emil", Name: "Emil Novak", Email: "emil@east.hmart.example", Department: "sales"},
	}})
	if c.configFile, err = c.urls.writeConfig(filepath.Join(folder, "west"), c.east.PEM()); err != nil {
		return c, err
	}
	if d.edit != nil {
		if err := d.edit(c.configFile); err != nil {
			return c, err
		}
	}
	c.serveOffices(ctx, places)
	if err := c.serveBroker(ctx); err != nil {
		return c, err
	}
	if err := c.serveWarehouse(ctx, places.warehouse); err != nil {
		return c, err
	}
	c.serve(ctx, places.ddstore, &fake.Partner{
		Name: "DDStore inventory", TokenURL: c.urls.tokenURL(), ClientID: "ddstore-inventory", ClientSecret: ddstoreSecret,
		Audience: "warehouse", Scope: "stock.order", OrdersURL: c.urls.Warehouse + "/orders", Item: "kimchi, 1 kg", Pallets: 4, HTTP: c.http,
	})
	c.serveApps(ctx, places)
	return c, nil
}

// serveOffices runs the identity providers of the head office, of the region's own people, and of another region, which speaks SAML.
func (c *cast) serveOffices(ctx context.Context, places places) {
	client := func(trustID string) []fake.Client {
		return []fake.Client{{
			ID: officeClient, Secret: officeSecret, RedirectURIs: []string{c.urls.Broker + "/login/callback/" + trustID},
			PostLogoutURIs: []string{c.urls.Broker + "/oauth2/end_session"},
		}}
	}
	c.office = fake.NewProvider(fake.Options{
		Issuer: c.urls.HeadOffice, Name: "HMart Head Office", Accounts: fake.DemoAccounts(c.urls.Broker), Clients: client("head-office"),
	})
	c.serve(ctx, places.headOffice, c.office)
	c.region = fake.NewProvider(fake.Options{
		Issuer: c.urls.Region, Name: "HMart Region West", Clients: client("west"), People: []fake.Person{
			{Username: "wendy", Name: "Wendy Okafor", Email: "wendy@west.hmart.example", Department: "logistics"},
			{Username: "walter", Name: "Walter Brandt", Email: "walter@west.hmart.example", Department: "sales"},
		},
	})
	c.serve(ctx, places.region, c.region)
	c.serve(ctx, places.east, c.east)
}

// serveApps runs the two applications: the region's own, and a third party's, which people are asked about.
func (c *cast) serveApps(ctx context.Context, places places) {
	c.portal = &fake.App{
		Name: "Warehouse portal", URL: c.urls.Portal, Broker: c.urls.Broker, ClientID: "warehouse-portal", ClientSecret: portalSecret,
		Scopes: []string{"openid", "profile", "email", "stock.read"}, StockURL: c.urls.Warehouse + "/stock", HTTP: c.http,
	}
	c.orders = &fake.App{
		Name: "DDStore orders", URL: c.urls.Orders, Broker: c.urls.Broker, ClientID: "ddstore-orders", ClientSecret: ordersSecret,
		Scopes: []string{"openid", "profile"}, HTTP: c.http,
	}
	c.serve(ctx, places.portal, c.portal)
	c.serve(ctx, places.orders, c.orders)
}

// serveWarehouse runs the API. It takes nothing from this process but the broker's address.
func (c *cast) serveWarehouse(ctx context.Context, l net.Listener) error {
	guard, err := bearer.New(bearer.Config{
		Issuer: c.urls.Broker, Audience: c.urls.Warehouse, Name: "Warehouse West (" + demoNotice + ")",
		Scopes: []string{"stock.read", "stock.order"}, Outbound: fetch.Options{Dev: true}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	c.ended.Go(func() { guard.Run(ctx) })
	c.serve(ctx, l, newWarehouse(guard))
	return nil
}

// serve runs one fake party until ctx ends.
func (c *cast) serve(ctx context.Context, l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	c.ended.Go(func() {
		if err := server.Serve(l); ctx.Err() == nil {
			c.failed <- err
		}
	})
	context.AfterFunc(ctx, func() { _ = server.Close() })
}

// serveBroker runs the same command as production does, and waits until it answers.
func (c *cast) serveBroker(ctx context.Context) error {
	log, err := os.Create(c.logFile)
	if err != nil {
		return err
	}
	stopped := make(chan error, 1)
	c.ended.Go(func() {
		code := run(ctx, []string{"serve", "--config", c.configFile}, bytes.NewReader(nil), log, log)
		err := log.Close()
		if ctx.Err() == nil {
			err = &exit{code, fmt.Errorf("the broker ended with exit code %d: %s", code, c.endOfLog())}
			c.failed <- err
		}
		stopped <- err
	})
	waiting, cancel := context.WithTimeout(ctx, brokerStart)
	defer cancel()
	for !c.answers(waiting) {
		select {
		case err := <-stopped:
			return err
		case <-waiting.Done():
			return fmt.Errorf("the broker does not answer (%w): %s", waiting.Err(), c.endOfLog())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func (c *cast) answers(ctx context.Context) bool {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, c.urls.Broker+"/.well-known/oauth-authorization-server", nil)
	if err != nil {
		return false
	}
	res, err := c.http.Do(ask)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}

// endOfLog is the end of the broker's log.
func (c *cast) endOfLog() string {
	text, err := os.ReadFile(c.logFile)
	if err != nil {
		return err.Error()
	}
	text = bytes.TrimSpace(text)
	if len(text) > 2000 {
		text = text[len(text)-2000:]
	}
	return string(text)
}

// stop ends the parties and waits for them.
func (c *cast) stop() {
	c.cancel()
	c.ended.Wait()
}
