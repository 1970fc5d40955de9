// Validates custom resources, a JSON array on stdin, with the generated schemas of their operators. The packages' folder
// is the argument. Prints "<kind> ok" or "<kind> <what is wrong>" a resource; they do not look at unknown fields.
const path = require("node:path");
const groups = { "keda.sh": "keda", "monitoring.coreos.com": "prometheus-operator" };
const resources = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
for (const resource of resources) {
  const group = resource.apiVersion.split("/")[0];
  const from = path.join(process.argv[2], "@kubernetes-models", groups[group], resource.apiVersion, resource.kind);
  const Model = require(from)[resource.kind];
  try {
    new Model(resource).validate();
    console.log(`${resource.kind} ok`);
  } catch (fault) {
    console.log(`${resource.kind} ${fault.message}`);
  }
}
