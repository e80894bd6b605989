// client talks to clearconfd with Debian's Go varlink library and the types
// that its generator makes of our interface: a client that nobody here wrote.
//
// client ADDRESS introspect | get PATH | get-error PATH | watch PATH COUNT
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/varlink/go/varlink"
	"ioclearconf"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func print(value interface{}) {
	text, err := json.Marshal(value)
	check(err)
	fmt.Println(string(text))
}

func introspect(ctx context.Context, c *varlink.Connection) {
	var vendor, product, version, url string
	var interfaces []string
	check(c.GetInfo(ctx, &vendor, &product, &version, &url, &interfaces))
	description, err := c.GetInterfaceDescription(ctx, "io.clearconf")
	check(err)
	print(map[string]interface{}{
		"product": product, "version": version,
		"interfaces": interfaces, "description": description,
	})
}

func get(ctx context.Context, c *varlink.Connection, path string) {
	generation, state, _, _, masked, value, _, err :=
		ioclearconf.Get().Call(ctx, c, &path, nil, nil, nil, nil, nil)
	check(err)
	print(map[string]interface{}{
		"generation": generation, "state": state, "masked": masked,
		"value": value,
	})
}

func getError(ctx context.Context, c *varlink.Connection, path string) {
	_, _, _, _, _, _, _, err :=
		ioclearconf.Get().Call(ctx, c, &path, nil, nil, nil, nil, nil)
	switch e := err.(type) {
	case *ioclearconf.PathNotFound:
		print(map[string]string{"error": "PathNotFound", "path": e.Path})
	case *ioclearconf.InvalidPath:
		print(map[string]interface{}{"error": "InvalidPath", "offset": e.Offset})
	default:
		check(fmt.Errorf("unexpected: %v", err))
	}
}

// Prints each reply as it comes, COUNT of them.
func watch(ctx context.Context, c *varlink.Connection, path string, count int) {
	paths, values := []string{path}, true
	receive, err := ioclearconf.Watch().Send(ctx, c, varlink.More, &paths, nil, nil, &values, nil, nil, nil)
	check(err)
	for i := 0; i < count; i++ {
		generation, _, _, _, resync, _, changes, value, flags, err := receive(ctx)
		check(err)
		print(map[string]interface{}{
			"generation": generation, "resync": resync, "changes": changes,
			"value": value, "continues": flags&varlink.Continues != 0,
		})
	}
}

func main() {
	ctx := context.Background()
	c, err := varlink.NewConnection(ctx, os.Args[1])
	check(err)
	defer c.Close()
	switch os.Args[2] {
	case "introspect":
		introspect(ctx, c)
	case "get":
		get(ctx, c, os.Args[3])
	case "get-error":
		getError(ctx, c, os.Args[3])
	case "watch":
		count, err := strconv.Atoi(os.Args[4])
		check(err)
		watch(ctx, c, os.Args[3], count)
	}
}
