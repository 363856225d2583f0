"""The files in deploy/, read as those who get them would read them, as far as that is possible without them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2
from tensorflow_serving.config import model_server_config_pb2

from vidmodel_tf.export.saved_model.request_limits import MAX_CLIPS, MAX_TEXT_BYTES_TOGETHER
from vidmodel_tf.serving.endpoint import Endpoint
from vidmodel_tf.serving.predict import BATCH_SIZE
from vidmodel_tf.text.fields import MAX_TEXT_BYTES

DEPLOY = Path(__file__).parents[1] / "deploy"
FLAGS = {
    "--model_config_file=/config/models.config",
    "--batching_parameters_file=/config/batching.config",
    "--monitoring_config_file=/config/monitoring.config",
    "--enable_batching=true",
    "--rest_api_timeout_in_ms=30000",
    f"--grpc_channel_arguments=grpc.max_receive_message_length={Endpoint('here:8500', 'fights').max_message_bytes}",
}
METRICS = "/monitoring/prometheus/metrics"


def read_text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def read_yaml(name: str):
    return list(yaml.safe_load_all(read_text(name)))


def transcribed_messages():
    """BatchingParameters and MonitoringConfig, which no Python package has, after their public definitions.

    The fields that deploy/ uses, and no more: a slip of the pen in the files is found, a change of the server is not.
    """
    file = descriptor_pb2.FileDescriptorProto(name="transcribed.proto", package="transcribed", syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    kinds = descriptor_pb2.FieldDescriptorProto

    def add(name, **fields):
        message = file.message_type.add(name=name)
        for number, (field, (kind, type_name)) in enumerate(fields.items(), start=1):
            repeated = field == "allowed_batch_sizes"
            label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            message.field.add(name=field, number=number, type=kind, type_name=type_name, label=label)

    int64 = (kinds.TYPE_MESSAGE, ".google.protobuf.Int64Value")
    numbers = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
    add("BatchingParameters", **dict.fromkeys(numbers, int64), allowed_batch_sizes=(kinds.TYPE_INT64, None))
    add("PrometheusConfig", enable=(kinds.TYPE_BOOL, None), path=(kinds.TYPE_STRING, None))
    add("MonitoringConfig", prometheus_config=(kinds.TYPE_MESSAGE, ".transcribed.PrometheusConfig"))
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"transcribed.{name}"))
        for name in ("BatchingParameters", "MonitoringConfig")
    }


def test_models_config_is_what_the_server_reads():
    config = text_format.Parse(read_text("models.config"), model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ("fights", "/models/fights", "tensorflow")
    assert model.model_version_policy.latest.num_versions == 1


@pytest.mark.parametrize("where", ["models.config", "../docs/deployment.md"])
def test_the_way_back_that_is_written_down_is_understood(where):
    (policy,) = [line for line in read_text(where).splitlines() if "specific { versions: 1" in line]
    policy = policy.strip(" #`")
    model = text_format.Parse(policy, model_server_config_pb2.ModelConfig())
    assert model.model_version_policy.specific.versions[0] == 1


def test_batching_config():
    batching = text_format.Parse(read_text("batching.config"), transcribed_messages()["BatchingParameters"]())
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(sizes)
    assert sizes[-1] == batching.max_batch_size.value
    assert BATCH_SIZE in sizes
    assert min(batching.num_batch_threads.value, batching.max_enqueued_batches.value) >= 1


def test_monitoring_is_scraped_where_it_is_offered():
    monitoring = text_format.Parse(read_text("monitoring.config"), transcribed_messages()["MonitoringConfig"]())
    assert (monitoring.prometheus_config.enable, monitoring.prometheus_config.path) == (True, METRICS)
    (prometheus,) = read_yaml("prometheus.yml")
    (job,) = prometheus["scrape_configs"]
    (compose,) = read_yaml("docker-compose.yml")
    host, port = job["static_configs"][0]["targets"][0].split(":")
    assert job["metrics_path"] == METRICS
    assert host in compose["services"]
    assert f"{port}:{port}" in compose["services"][host]["ports"]


def test_docker_compose_mounts_what_its_flags_name():
    (compose,) = read_yaml("docker-compose.yml")
    serving = compose["services"]["serving"]
    assert serving["image"].startswith("tensorflow/serving:")
    assert set(serving["command"]) >= FLAGS
    assert all(volume.endswith(":ro") for volume in serving["volumes"])
    mounts = dict(volume.removesuffix(":ro").split(":") for volume in serving["volumes"])
    assert mounts == {"../saved_models/fights": "/models/fights", "./": "/config"}
    for flag in FLAGS:
        assert "/config/" not in flag or (DEPLOY / flag.partition("/config/")[2]).is_file()
    assert {"8500:8500", "8501:8501"} == set(serving["ports"])


def test_kubernetes_names_the_same_ports_model_and_labels_throughout():
    deployment, policy, service = read_yaml("kubernetes.yaml")
    assert [part["kind"] for part in (deployment, policy, service)] == ["Deployment", "NetworkPolicy", "Service"]
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert set(container["args"]) >= FLAGS
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"] == pod["metadata"]["labels"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == ports
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/v1/models/fights", "port": "rest"}
    assert {mount["name"] for mount in container["volumeMounts"]} == {v["name"] for v in pod["spec"]["volumes"]}
    assert pod["metadata"]["annotations"]["prometheus.io/path"] == METRICS


def test_docker_compose_leaves_the_server_nothing_that_it_does_not_need():
    (compose,) = read_yaml("docker-compose.yml")
    serving, prometheus = compose["services"]["serving"], compose["services"]["prometheus"]
    for service in (serving, prometheus):
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]  # and no "seccomp:unconfined" beside it
        assert not {"privileged", "cap_add", "devices", "pid", "network_mode", "ipc"} & service.keys()
        assert {"mem_limit", "pids_limit"} <= service.keys()
        assert service["networks"] == ["serving"]
    assert serving["memswap_limit"] == serving["mem_limit"]
    assert serving["cpus"] >= 1
    assert all(int(number) > 0 for number in serving["user"].split(":"))
    (tmp,) = serving["tmpfs"]
    assert tmp.startswith("/tmp:") and {"noexec", "nosuid", "size=64m"} <= set(tmp.removeprefix("/tmp:").split(","))
    (network,) = compose["networks"].values()
    assert network["driver_opts"] == {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    (port,) = prometheus["ports"]
    assert port.startswith("127.0.0.1:")


def test_kubernetes_leaves_the_server_nothing_that_it_does_not_need():
    deployment, *_ = read_yaml("kubernetes.yaml")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert min(pod["securityContext"][key] for key in ("runAsUser", "runAsGroup")) > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    limits, requests = container["resources"]["limits"], container["resources"]["requests"]
    assert set(limits) == {"cpu", "memory", "ephemeral-storage"}
    assert int(limits["cpu"]) >= int(requests["cpu"])
    writable = [mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["tmp"]
    volumes = {volume.pop("name"): volume for volume in pod["volumes"]}
    assert volumes["tmp"] == {"emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
    assert volumes["models"]["persistentVolumeClaim"]["readOnly"] is True


def test_kubernetes_lets_the_server_call_nobody():
    deployment, policy, _ = read_yaml("kubernetes.yaml")
    assert policy["spec"]["podSelector"] == deployment["spec"]["selector"]
    assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert policy["spec"]["egress"] == []
    (rule,) = policy["spec"]["ingress"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {port["port"] for port in rule["ports"]} == {port["name"] for port in container["ports"]}


def test_a_batch_is_not_larger_than_what_the_graph_takes():
    batching = text_format.Parse(read_text("batching.config"), transcribed_messages()["BatchingParameters"]())
    assert batching.max_batch_size.value * MAX_TEXT_BYTES <= MAX_TEXT_BYTES_TOGETHER
    assert batching.max_batch_size.value <= MAX_CLIPS
