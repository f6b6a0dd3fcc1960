"""What scalars are by their names, and which is drawn first."""

import pytest

from tb_sonify.schema.scalar_names import first_to_draw, is_validation, kind_of


@pytest.mark.parametrize(
    ("tags", "first"),
    [
        # CleanRL, Stable-Baselines3, Hugging Face, TensorFlow's object detection
        (["losses/approx_kl", "losses/entropy", "losses/policy_loss"], "losses/policy_loss"),
        (["rollout/ep_rew_mean", "train/entropy_loss", "train/loss", "train/std"], "train/loss"),
        (["eval/loss", "train/grad_norm", "train/loss", "train/train_loss"], "train/loss"),
        (["Loss/classification_loss", "Loss/total_loss", "learning_rate"], "Loss/total_loss"),
        # Lightning, Ultralytics, a GAN, detectron2
        (["epoch", "train_loss_epoch", "train_loss_step", "val_loss"], "train_loss_step"),
        (["metrics/mAP50", "train/box_loss", "val/box_loss"], "train/box_loss"),
        (["d_acc", "d_loss", "g_loss"], "d_loss"),
        (["loss_ce", "sem_seg/mIoU", "total_loss"], "total_loss"),
        (["Accuracy/train", "Loss/train", "Loss/val"], "Loss/train"),
        (["loss/kl", "loss/recon", "loss/total"], "loss/total"),
        (["trainLoss", "valLoss"], "trainLoss"),
        (["alpha_loss", "val/loss"], "alpha_loss"),
        # taken by `tb-sonify run`, beside what the script logs
        (["loss/backward", "losses/policy_loss", "reward"], "losses/policy_loss"),
        (["Reward/train", "loss/backward", "val/loss"], "loss/backward"),
        (["loss/backward/gradient_penalty", "train/ppl"], "train/ppl"),
        (["accuracy", "loss/backward/grad_norm"], "loss/backward/grad_norm"),
        # without a loss
        (["Accuracy/val", "Glossary/size"], "Accuracy/val"),
        (["rollout/ep_len_mean", "rollout/ep_rew_mean", "time/fps"], "rollout/ep_rew_mean"),
        (["lr", "train/mse"], "train/mse"),
        (["grad_norm/a", "grad_norm/b", "x"], "x"),
        (["grad_norm", "x"], "x"),
        (["epoch", "grad_norm", "lr"], "grad_norm"),
        (["lr"], "lr"),
        ([], None),
    ],
)  # fmt: skip
def test_a_training_loss_is_drawn_first(tags, first):
    assert first_to_draw(tags) == first


@pytest.mark.parametrize(
    ("kind", "tags"),
    [
        ("loss", ["loss", "train/loss", "epoch_loss", "valLoss", "Loss/total", "nll", "test/rmse"]),
        ("score", ["val_acc", "epoch_accuracy", "DetectionBoxes_Precision/mAP", "charts/return"]),
        ("norm", ["train/grad_norm", "GradNorm", "gnorm", "grad_norm/conv1"]),
        ("clock", ["lr-AdamW", "eval/samples_per_second", "train/epoch", "time/fps", "total_flos"]),
        ("other", ["rollout/ep_len_mean", "train/std", "losses/approx_kl", "Glossary/size"]),
        ("other", ["amp/loss_scale", "lossScale", "kl_loss_weight"]),
    ],
)  # fmt: skip
def test_the_words_of_a_name_say_what_a_scalar_is(kind, tags):
    assert {tag: kind_of(tag) for tag in tags} == dict.fromkeys(tags, kind)


def test_what_is_not_trained_on_is_validation():
    assert all(map(is_validation, ["val_loss", "eval/loss", "validLoss", "test/acc"]))
    assert not any(map(is_validation, ["train/loss", "loss", "values", "evaluate_me"]))
