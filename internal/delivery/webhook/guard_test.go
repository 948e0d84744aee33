package webhook

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

func TestOnlyPublicAddressesPassTheGuard(t *testing.T) {
	cases := map[bool][]string{
		true: {
			"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "192.0.1.1",
			"198.17.255.255", "198.20.0.1", "223.255.255.255", "168.63.129.17", "2606:4700::1", "2a00:1450::1",
			"::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
		},
		false: {
			"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1",
			"172.31.255.255", "192.168.0.1", "169.254.0.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
			"100.127.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.19.255.255",
			"198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
			"168.63.129.16", "192.88.99.1",
			"::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "ff02::1",
			"ff0e::1", "100::1", "2001:db8::1", "2001::1", "2001:2::1", "3fff::1", "5f00::1", "4000::1",
			"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1",
			"64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8",
			"2002:7f00:1::1", "2002:a00:1::1", "2002:808:808::1",
			"2001:0:4136:e378:8000:63bf:3fff:fdd2",
			"2606:4700::1%eth0",
		},
	}
	for want, addresses := range cases {
		for _, address := range addresses {
			if got := Public(netip.MustParseAddr(address)); got != want {
				t.Errorf("Public(%s) = %t", address, got)
			}
		}
	}
	if Public(netip.Addr{}) {
		t.Error("the invalid address is public")
	}
}

func TestLiveRefusesTheAddressItWouldConnectTo(t *testing.T) {
	var calls atomic.Int32
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	c := client(t, Options{Live: true})
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "10.0.0.1"} {
		if o := c.Send(t.Context(), try("https://"+host+":"+port+"/")); got(o) != "0 refused address" {
			t.Errorf("%s: outcome %s", host, got(o))
		}
	}
	if calls.Load() != 0 {
		t.Errorf("%d calls", calls.Load())
	}
}

func TestLiveRefusesPlainHTTP(t *testing.T) {
	if o := client(t, Options{Live: true}).Send(t.Context(), try("http://8.8.8.8/")); got(o) != "0 refused address" {
		t.Errorf("outcome %s", got(o))
	}
}

func TestOperatorMayAllowPrivateAddressesInLive(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	if o := client(t, Options{Live: true, AllowPrivate: true}).Send(t.Context(), try(url)); got(o) != "200 " {
		t.Errorf("outcome %s", got(o))
	}
}

// proxy is an egress proxy that connects wherever it is told to, or answers with a status.
func proxy(t *testing.T, status int, asked *atomic.Int32) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		there, err := (&net.Dialer{}).DialContext(context.WithoutCancel(r.Context()), "tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
		_, _ = io.Copy(here, there)
		_ = here.Close()
	})
}

func TestDeliveriesGoThroughTheEgressProxy(t *testing.T) {
	var asked atomic.Int32
	s, roots := tlsServer(t, func(*httptest.Server) {})
	c := client(t, Options{EgressProxy: proxy(t, http.StatusOK, &asked)})
	c.transport.TLSClientConfig.RootCAs = roots
	if o := c.Send(t.Context(), try(s.URL)); got(o) != "200 " || asked.Load() != 1 {
		t.Errorf("outcome %s, proxy asked %d times", got(o), asked.Load())
	}
}

func TestGuardLooksAtTheTargetBehindTheProxy(t *testing.T) {
	var asked atomic.Int32
	s, _ := tlsServer(t, func(*httptest.Server) {})
	c := client(t, Options{Live: true, EgressProxy: proxy(t, http.StatusOK, &asked)})
	for _, url := range []string{s.URL, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)} {
		if o := c.Send(t.Context(), try(url)); got(o) != "0 refused address" {
			t.Errorf("outcome %s", got(o))
		}
	}
	if asked.Load() != 0 {
		t.Errorf("the proxy was asked %d times", asked.Load())
	}
}

func TestProxyThatRefusesIsTold(t *testing.T) {
	var asked atomic.Int32
	c := client(t, Options{EgressProxy: proxy(t, http.StatusForbidden, &asked)})
	if o := c.Send(t.Context(), try("https://receiver.invalid/")); got(o) != "0 proxy" || asked.Load() != 1 {
		t.Errorf("outcome %s, proxy asked %d times", got(o), asked.Load())
	}
}
